"""Exported SQL in Spark, with its ANSI mode on and off, against `cgcli.compile`: values, derivatives, nulls and nans.

    python -m tests.bench.spark

Prints how many programs agree, and where the others do not. Needs pyspark and Java.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tests.exported import ROWS, Case, cases
from tests.test_export import programs_of_sql
from tests.test_export_random import random_cases


def found_in(spark: Any, case: Case, null: np.ndarray[Any, Any]) -> list[str]:
    """Where the results of Spark differ from those of cg. null: the rows in which the first input is null."""
    names = ["id", *case.inputs]
    rows = [
        (row, *(None if at == 0 and null[row] else value for at, value in enumerate(values)))
        for row, values in enumerate(case.arguments())
    ]
    schema = ", ".join(["id int", *(f"`{name}` double" for name in case.inputs)])
    spark.createDataFrame(rows, schema).createOrReplaceTempView("data")
    got = spark.sql(case.code("sql", dialect="spark", table="data")).collect()
    got = sorted(got, key=lambda row: row[0])
    assert [*got[0].asDict()] == [*names, *case.names]
    results = np.array([row[len(names) :] for row in got], object)
    wrong = [f"{case.text}: nulls" for column in results.T if [each is None for each in column] != null.tolist()]
    filled = [np.where(null, ours, np.where(null, 0.0, column).astype(float)) for ours, column in
              zip(case.expected, results.T, strict=True)]  # fmt: skip
    return wrong or [*case.differences(filled)]


def main() -> None:
    from pyspark.sql import SparkSession

    warnings.simplefilter("ignore")
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.analyzer.maxIterations", "1000")  # as the header of deep code says
    spark = builder.config("spark.sql.shuffle.partitions", "1").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    every = [*cases(programs_of_sql()), *random_cases()]
    null = np.random.default_rng(3).random(ROWS) < 0.1
    for ansi in ("true", "false"):
        spark.conf.set("spark.sql.ansi.enabled", ansi)
        wrong = {case.text: why for case in every if (why := found_in(spark, case, null))}
        print(f"ANSI mode {ansi}: {len(every) - len(wrong)} of {len(every)} programs agree")
        print(*(each for why in wrong.values() for each in why), sep="\n")


if __name__ == "__main__":
    main()
