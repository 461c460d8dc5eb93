"""The report: the study's table, figures, quotes and method for any period, as one page that stands alone.

`facts` asks the views for everything it says, `figures` draws, `page` writes.
"""
