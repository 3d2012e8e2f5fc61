"""The Hypothesis profile for mutants: find a failure, but spend no time on making it small."""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "sabotage",
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
)
