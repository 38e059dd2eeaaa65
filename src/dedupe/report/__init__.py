"""Results put into words for people, and into records for programs.

`text`, `explanation` and `comparison` turn what was found into `lines.Line`
objects, which `lines.plain` and `lines.styled` render for a pipe and for a
terminal; `json` and `csv` make records. All of these are pure functions of
`dedupe.results`, so a report can be made again from saved JSON. `files` puts a
report on disk, and `progress` shows how far the work is.
"""
