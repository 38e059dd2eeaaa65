"""Results put into words for people, and into records for programs.

`text`, `explanation` and `comparison` turn what was found into `lines.Line`
objects, which `lines.plain` and `lines.styled` render for a pipe and for a
terminal; `calibration` does so for labels. `json` and `csv` make records, and `html` a
page. All of these are pure functions of `dedupe.results.result`, so a report can be made again
from saved JSON; a page can also take texts. `files` puts a report on disk, and
`progress` shows how far the work is.
"""
