"""Report of a study: table, figures, quotes and method for any period, as one self-contained page.

`facts` collects the data from the views, `figures` draws, `page` renders and writes the files.
"""
