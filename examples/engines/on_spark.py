"""Spark: the rows of a folder of Parquet files with their value and derivatives, by mapInArrow.

    spark-submit on_spark.py PROGRAM IN OUT        pip install cgcli pyspark, on the workers too

Spark asks for the types of the results before there is a row; its arrays are lists, and so are those of the results.
"""

from __future__ import annotations

import sys
from typing import Any


def with_results(function: Any, rows: Any) -> Any:
    """The rows of a data frame and their results."""
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

    schema = from_arrow_schema(function.schema(to_arrow_schema(rows.schema)))
    return rows.mapInArrow(function.map_batches, schema)


def main(program: str, source: str, target: str) -> None:
    from pyspark.sql import SparkSession

    import cgcli

    function = cgcli.compile(program, on_error="null")
    session = SparkSession.builder.getOrCreate()
    with_results(function, session.read.parquet(source)).write.parquet(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
