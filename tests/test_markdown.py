"""Markdown tables: the same digits as every other renderer, nothing read as markup."""

from pipeline.exhibits.render.markdown import render_markdown
from pipeline.exhibits.tables.table import (
    Interval,
    Number,
    Panel,
    Row,
    Table,
    TableColumn,
    WholeNumbers,
)


def test_a_table_becomes_markdown():
    table = Table(
        columns=(TableColumn("R|D_1", "log points"), TableColumn("Jobs")),
        panels=(
            Panel(
                "Panel A",
                (
                    Row("Effect", (Number(-0.0164, 3), None)),
                    Row("95% CI", (Interval(-0.17, 0.138, 3), WholeNumbers((1234, 5)))),
                ),
            ),
        ),
        notes=("One *note*.",),
        source="a file",
    )
    assert render_markdown(table) == (
        "|  | R\\|D\\_1, log points | Jobs |\n"
        "| :-- | :-: | :-: |\n"
        "| **Panel A** |  |  |\n"
        "| Effect | −0.016 |  |\n"
        "| 95% CI | \\[−0.170, 0.138\\] | 1,234 / 5 |\n"
        "\n"
        "One \\*note\\*. Source: a file.\n"
    )


def test_headings_that_are_alike_are_told_apart_by_their_spanner():
    columns = (
        TableColumn("p"),
        *(
            TableColumn(found, spanner=test)
            for test in ("Joint", "Any")
            for found in ("50%", "80%")
        ),
        TableColumn("Weight", spanner="After"),
    )
    table = Table(columns, (Panel("", (Row("A", (None,) * 6),)),))
    head = render_markdown(table).splitlines()[0]
    assert head == "|  | p | Joint: 50% | Joint: 80% | Any: 50% | Any: 80% | Weight |"
