"""The language of plans: what the guidelines write lies inside, what lies inside parses and breaks no limit."""

import random
from itertools import product
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.plan import Facts, Finding, Plan, guideline, load_tokenizer, parse, to_text
from fusion.plan import schema as s
from fusion.plan.findings import FINDINGS, GROUP_OF_FINDING
from fusion.plan.knowledge.exercises import MOVES
from fusion.plan.language.automaton import Place, automaton, longest
from fusion.plan.language.train_tokenizer import sample_plan
from fusion.plan.rules.guidelines import CONSTRAINTS, GOALS, STATES
from fusion.plan.rules.limits import NO_LIMITS, Limits, Measured
from fusion.plan.rules.safety import CONDITIONS, limits_of

TOKENIZER = load_tokenizer()
HEART_RATE = Finding(group="signals", finding="raised_arousal", value=90, unit="bpm", last_s=60)
SEEN = (Finding(group="text", finding="stressed_words"), HEART_RATE, Finding(group="audio", finding="snoring"))
PLAN = guideline(Facts(state="strained", goal="lose_weight", constraints=("insulin",), findings=SEEN))


def accepts(limits: Limits, plan: Plan) -> bool:
    """Whether every token of the plan's text is allowed where it stands."""
    place = automaton(limits)
    for token in TOKENIZER.encode(to_text(plan))[1:]:
        if token not in place.state.next:
            return False
        place = place.after(token)
    return place.is_end


def walk(place: Place, rng: random.Random) -> list[int]:
    """Ids of a random plan."""
    ids = []
    while not place.is_end:
        allowed = sorted(place.state.next)
        ids.append(rng.choice(allowed))
        place = place.after(ids[-1])
    return ids


def some_of(vocabulary, least=0):
    return st.lists(st.sampled_from(vocabulary), unique=True, min_size=least).map(tuple)


def measured():
    return st.builds(
        Measured,
        span_s=st.none() | st.integers(0, 2000),
        value=st.none() | st.sampled_from([-0.5, 0.0, 85.0, 90.1, 120.25, 99_999.0]),
        unit=st.none() | st.sampled_from(["bpm", "mg/dL", "furlong"]),
    )


REQUIRED = st.sampled_from(get_args(s.Signal)).map(
    lambda name: s.Alert(signal=name, direction="below", value=70.5, unit="mg/dL", action="eat_fast_carbs")
)
LIMITS = st.builds(
    Limits,
    goals=some_of(GOALS, 1),
    activities=some_of(get_args(s.Activity)),
    moves=some_of(list(MOVES)),
    efforts=some_of(get_args(s.Effort)),
    gauges=some_of(get_args(s.Gauge)),
    lowest_energy_kcal=st.integers(-1000, 300),
    highest_energy_kcal=st.integers(-300, 1000),
    lowest_protein_g_per_kg=st.floats(0.5, 2),
    highest_protein_g_per_kg=st.floats(1, 3),
    emphasise=some_of(get_args(s.Food)).map(lambda foods: tuple({*foods, "fruit"})),
    required_emphasise=st.sampled_from([(), ("fruit",)]),
    required_limit=some_of(get_args(s.Food)[: s.most_items(s.Diet, "limit")]),
    required_alerts=st.lists(REQUIRED, unique_by=lambda alert: alert.signal, max_size=4).map(tuple),
    referrals=some_of(get_args(s.Referral), 1),
    is_referral_only=st.sampled_from([False, False, False, True]),
    required_findings=st.sampled_from([(), ("caffeine",), ("sweets", "fruit")]),
    measured=st.none() | st.lists(measured(), max_size=3).map(lambda parts: (Measured(group="text"), *parts)),
)


def test_every_plan_of_the_guidelines_is_in_the_language():
    for state, goal, constraint in product(STATES, GOALS, (None, *CONSTRAINTS)):
        for meal in FINDINGS["photo"]:
            findings = (*SEEN, Finding(group="photo", finding=meal))
            constraints = (constraint,) if constraint else ()
            facts = Facts(state=state, goal=goal, constraints=constraints, findings=findings, equipment="gym")
            assert accepts(NO_LIMITS, guideline(facts)), facts


def test_all_constraints_at_once_are_in_the_language():
    for state, goal, findings in product(STATES, GOALS, [(), SEEN]):
        plan = guideline(Facts(state=state, goal=goal, constraints=CONSTRAINTS, findings=findings, level="expert"))
        assert accepts(NO_LIMITS, plan)


def test_a_plan_is_accepted_exactly_where_it_breaks_no_limit_of_a_condition():
    for state, goal, condition in product(STATES, GOALS, CONDITIONS):
        plan = guideline(Facts(state=state, goal=goal, findings=SEEN))
        limits = limits_of([condition])
        assert accepts(limits, plan) == (not limits.violations(plan)), (state, goal, condition)


def test_what_was_measured_bounds_what_may_be_claimed():
    parts = (
        Measured(group="signals", span_s=60, value=90, unit="bpm"),
        Measured(group="text"),
        Measured(group="audio"),
    )
    assert accepts(Limits(measured=parts), PLAN)
    assert not accepts(Limits(measured=parts[1:]), PLAN)
    assert not accepts(Limits(measured=(parts[0].model_copy(update={"span_s": 59}), *parts[1:])), PLAN)
    assert not accepts(Limits(measured=(parts[0].model_copy(update={"value": 95.0}), *parts[1:])), PLAN)
    assert not accepts(Limits(measured=()), PLAN)


def test_every_text_of_the_language_parses_and_is_tokenised_in_the_one_way():
    rng = random.Random(0)
    for _ in range(300):
        ids = walk(automaton(NO_LIMITS), rng)
        text = TOKENIZER.decode(ids)
        plan = parse(text)
        assert isinstance(plan, Plan), plan
        assert TOKENIZER.encode(text)[1:] == ids


@settings(max_examples=150, deadline=None)
@given(LIMITS, st.randoms(use_true_random=False))
def test_no_text_within_limits_breaks_them(limits, rng):
    plan = parse(TOKENIZER.decode(walk(automaton(limits), rng)))
    assert isinstance(plan, Plan), plan
    assert limits.violations(plan) == []
    for names in (plan.diet and plan.diet.limit, plan.diet and plan.diet.emphasise, [a.signal for a in plan.alerts]):
        assert len(set(names or ())) == len(names or ())


@settings(max_examples=100, deadline=None)
@given(LIMITS, st.randoms(use_true_random=False))
def test_every_plan_without_violations_is_accepted_in_its_order(limits, rng):
    """Limits take from the language what breaks them, and nothing else."""
    plan = parse(TOKENIZER.decode(walk(automaton(NO_LIMITS), rng)))
    assert accepts(NO_LIMITS, plan)
    assert accepts(limits, plan) == (not limits.violations(plan))


@pytest.mark.parametrize(
    "changes",
    [
        {"exercise": PLAN.exercise[:1] * 2},
        {"alerts": PLAN.alerts[::-1]},
        {"alerts": PLAN.alerts[:1] * 2},
        {"because": PLAN.because[::-1]},
        {"because": PLAN.because[:1] * 2},
        {"diet": PLAN.diet.model_copy(update={"limit": ("nuts", "fruit")})},
        {"diet": PLAN.diet.model_copy(update={"emphasise": ("fruit", "fruit")})},
    ],
)
def test_repeats_and_other_orders_are_outside(changes):
    assert accepts(NO_LIMITS, PLAN)
    assert not accepts(NO_LIMITS, PLAN.model_copy(update=changes))


def test_numbers_reach_the_bounds_of_the_schema_and_no_further():
    def alert(value):
        return PLAN.model_copy(update={"alerts": (PLAN.alerts[0].model_copy(update={"value": value}),)})

    def evidence(value):
        return PLAN.model_copy(update={"because": (PLAN.because[1].model_copy(update={"value": value}),)})

    assert all(accepts(NO_LIMITS, alert(value)) for value in (0.0, 0.1, 9.0, 10.5, 9999.9))
    assert not any(accepts(NO_LIMITS, alert(value)) for value in (-1.0, 10_000.0, 0.25))
    assert all(accepts(NO_LIMITS, evidence(value)) for value in (-9999.9, -0.1, 0.0, 1005.0))
    assert not any(accepts(NO_LIMITS, evidence(value)) for value in (-10_000.0, -0.04))


def test_any_plan_is_in_the_language_once_its_lists_are_in_order():
    rng = random.Random(2)
    for plan in (sample_plan(rng) for _ in range(200)):
        foods = {n: _in_order(getattr(plan.diet, n), get_args(s.Food)) for n in ("emphasise", "limit")}
        by_activity = {session.activity: session for session in plan.exercise}
        sessions = tuple(v.model_copy(update={"moves": _in_order(v.moves, MOVES)}) for v in by_activity.values())
        alerts, because = {a.signal: a for a in plan.alerts}, {e.finding: e for e in plan.because}
        lists = {
            "exercise": sessions,
            "diet": plan.diet.model_copy(update=foods),
            "alerts": tuple(alerts[name] for name in get_args(s.Signal) if name in alerts),
            "because": tuple(because[name] for name in GROUP_OF_FINDING if name in because),
        }
        assert accepts(NO_LIMITS, plan.model_copy(update=lists))


def test_the_longest_plan_fits_the_tokenizer_exactly():
    """``longest`` is a bound worked out from parts; walking towards ever longer rests reaches it."""
    place, ids = automaton(NO_LIMITS), []
    while not place.is_end:
        rests = {token: _longest_rest(state) for token, state in place.state.next.items()}
        ids.append(max(rests, key=rests.get))
        place = place.after(ids[-1])
    assert isinstance(parse(TOKENIZER.decode(ids)), Plan)
    assert len(ids) == longest(NO_LIMITS) == TOKENIZER.max_length - 1


def test_people_who_share_part_of_their_limits_share_the_work():
    mine = automaton(Limits(measured=(Measured(group="text"),)))
    theirs = automaton(Limits(referrals=("none",)))
    assert mine.state is theirs.state and mine.following[0] is theirs.following[0]
    assert mine.following[-1] is not theirs.following[-1]


def test_limits_that_leave_no_text_are_named():
    alert = PLAN.alerts[0]
    other = alert.model_copy(update={"value": alert.value + 1})
    with pytest.raises(ValueError, match=r"limits leave no text for 'alerts'.*safety\.yaml"):
        automaton(Limits(required_alerts=(alert, other)))
    with pytest.raises(KeyError):
        automaton(NO_LIMITS).after(TOKENIZER.eos_id)


def _in_order(names, vocabulary):
    return tuple(name for name in vocabulary if name in names)


def _longest_rest(state) -> int:
    ((_, language),) = state._continuations
    return language.longest
