"""The OpenAPI document is complete: requests generated from it get only documented answers."""

import schemathesis
from hypothesis import HealthCheck, settings
from relay_worlds import new_relay
from schemathesis.checks import CHECKS, load_all_checks

load_all_checks()

# OAuth refuses most requests that the schemas allow, such as an unknown client or a code that was never issued.
EXCLUDED = [CHECKS.get_one("positive_data_acceptance")]

schema = schemathesis.openapi.from_asgi("/openapi.json", new_relay(access_tokens="relay").app)


@schema.parametrize()
@settings(max_examples=8, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_are_documented(case):
    case.call_and_validate(excluded_checks=EXCLUDED)
