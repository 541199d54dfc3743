"""unmask: what is a reconstructed lower face worth to a reader of expressions?"""
