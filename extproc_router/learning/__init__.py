"""What outcomes teach: from prompts and how well models answered them to the need for the strong model.

Pure numpy: no inference, no clocks. Arrays come in and go out; the only files are an artefact's own.
"""
