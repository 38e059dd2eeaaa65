"""Results put into words for people, and into records for programs.

`text`, `explanation`, `comparison` and `calibration` put what was found into
`lines.Line` objects, which `lines.plain` and `lines.styled` render for a pipe and for a
terminal; `pairs` and `openings` are pieces that they share. `json`, `csv` and `parquet`
make records, `html` makes a page, and `notebook` a table for a cell. All of them know
`dedupe.results` and nothing else, so a report can be rebuilt from saved JSON; a page can
take the texts as well. `progress` shows how far a search has come.
"""
