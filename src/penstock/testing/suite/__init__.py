"""How are people's test files run? Each case as a real run in a store of its own; then its assertions are judged."""

from penstock.services.suites import Found, find_suites
from penstock.testing.suite.cases import CaseResult, State, run_case

__all__ = ["CaseResult", "Found", "State", "find_suites", "run_case"]
