"""How do people test flows of their own? In this process, with fixtures for tasks and a clock held by hand.

from penstock.testing import Harness, fails, gives

def test_a_failed_extraction_is_recorded():
    with Harness() as harness:
        ran = harness.run("flows/daily.yml", tasks={"extract": fails("S3 is down"), "record": gives()})
    ran.assert_status("failed")
    ran.assert_steps({"extract": "failed", "record": "success"})
"""

from penstock.clock import ManualClock
from penstock.testing.fixtures import Call, Fixture, fails, gives, skips, warns
from penstock.testing.harness import Harness
from penstock.testing.ran import Ran

__all__ = ["Call", "Fixture", "Harness", "ManualClock", "Ran", "fails", "gives", "skips", "warns"]
