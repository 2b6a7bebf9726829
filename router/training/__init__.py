"""Train, calibrate, quantise and export a bundle. The only room with heavy imports (extra `train`),
and they are made inside the functions that need them."""
