"""The layers against Keras itself: random settings, inputs and masks, the same weights in both."""
