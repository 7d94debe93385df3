"""The same recurrent layers in every library: one file each, with the same weights in all."""
