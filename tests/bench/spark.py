"""Exported SQL in Spark, with its ANSI mode on and off, against `cgcli.compile`: values, derivatives, nulls and nans.

Over rows of plain values, and each function at the ends of float64: infinities, zeros of both signs, subnormal numbers.

    python -m tests.bench.spark

Prints how many programs agree, and where the others do not. Needs pyspark and Java.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tests.exported import Case, cases
from tests.test_export import programs_of_sql
from tests.test_export_hostile import edge_cases
from tests.test_export_random import random_cases


def found_in(spark: Any, case: Case) -> list[str]:
    """Where the results of Spark differ from those of cg, over rows of which some have a null in their first input."""
    null = np.random.default_rng(3).random(case.rows) < 0.1
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
    every = {
        "programs": cases(programs_of_sql()), "random expressions": random_cases(),
        "functions at the ends of float64": [case for case in edge_cases() if case.text in programs_of_sql()],
    }  # fmt: skip
    for ansi in ("true", "false"):
        spark.conf.set("spark.sql.ansi.enabled", ansi)
        for kind, some in every.items():
            wrong = {case.text: why for case in some if (why := found_in(spark, case))}
            print(f"ANSI mode {ansi}: {len(some) - len(wrong)} of {len(some)} {kind} agree")
            print(*(each for why in wrong.values() for each in why), sep="\n", flush=True)


if __name__ == "__main__":
    main()
