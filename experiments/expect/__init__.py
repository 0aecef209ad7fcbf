"""Expectations: lines such as `availability >= 95%`, `naive: linearizable is invalid` or
`cured.latency_p99_ms <= 0.2 * naive.latency_p99_ms in 90% of runs`.

A small grammar with units, never `eval`:

    line        = [variant {"," variant} ":"] claim ["in" SHARE "of runs"]
    claim       = CHECKER "is" ("valid" | "invalid") | sum ("<=" | "<" | ">=" | ">" | "==" | "!=") sum
    sum         = product {("+" | "-") product}
    product     = factor {("*" | "/") factor}
    factor      = NUMBER[UNIT] | [VARIANT "."] METRIC ["[" LABEL "=" VALUE {"," ...} "]"] | "(" sum ")"

Names may hold dashes, so a minus stands between blanks.
"""

from experiments.expect.grammar import (
    Comparison,
    Expectation,
    MalformedExpectation,
    Reference,
    VerdictIs,
    parse,
    quantity,
    reference,
)
from experiments.expect.judgement import GroupRun, judge, judge_group

__all__ = [
    "Comparison",
    "Expectation",
    "GroupRun",
    "MalformedExpectation",
    "Reference",
    "VerdictIs",
    "judge",
    "judge_group",
    "parse",
    "quantity",
    "reference",
]
