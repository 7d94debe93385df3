"""Files that were made to do harm, for each format, and that nothing comes of them."""
