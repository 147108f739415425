"""Texts as the tokens that they consist of, numbered by a vocabulary that is learnt from the training split."""
