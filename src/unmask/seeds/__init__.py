"""The same classifiers from several seeds: how much of a difference is luck."""
