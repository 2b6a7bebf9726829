"""An evaluation as pictures and a page, for people. Nothing here needs more than Python."""
