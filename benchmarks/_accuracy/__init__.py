r"""One tagger of English words in every library, trained until it is good enough: a file for each.

word, a vector of 100        \
                               -> dropout -> LSTM(200) in both directions -> dropout -> labels
characters, LSTM(64) in both /

Each library writes the model as its own users do, in its fastest way that we know; sizes, first
weights by the same distributions, Adam, its rate, clipping, dropout and word dropout are the same.
"""
