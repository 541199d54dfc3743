"""The columns of FER+'s file of votes, for who reads it and for who writes the sample's."""

EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""Columns of the file, in the order of CLASSES."""

COLUMNS = ("Usage", "Image name", "neutral", "happiness", "surprise", "sadness", "anger",
           "disgust", "fear", "contempt", "unknown", "NF")  # fmt: skip

OTHERS = ("contempt", "unknown", "NF")
"""What else annotators could vote for; the last is `not a face`."""
