"""The variants by their names: of people, and of hands apart from these."""

from hmnet.variants import BASE, HAND, HAND_VARIANTS, VARIANTS, beside, form_of, hand_name


def test_hands_have_the_people_s_variants_under_names_of_their_own() -> None:
    names = [hand_name(name) for name in (BASE, "hmnet-unregularised", "single-task", "rgb-only")]
    assert names == [HAND, "hand-unregularised", "hand-single-task", "hand-rgb-only"]
    assert set(names) < set(HAND_VARIANTS) and not set(HAND_VARIANTS) & set(VARIANTS)
    assert not form_of("hand-single-task").joint_branch and not form_of("hand-unregularised").regularised
    assert form_of("hand-oracle").parts == "true" and form_of("hand").regularised
    # Those that are of a people's template or of their badly fitted meshes are none of a hand's.
    assert not {"hand-full", "hand-noisy"} & set(HAND_VARIANTS)
    assert form_of("somebody's own") is VARIANTS[BASE]


def test_no_hand_stands_beside_a_person() -> None:
    people, hands = beside(BASE), beside(HAND)
    assert people == tuple(VARIANTS)[1:] and hands == tuple(HAND_VARIANTS)[1:]
    assert "hand-unregularised" in hands and not {HAND, BASE} & {*people, *hands}
    assert beside("hand-unregularised") == tuple(name for name in hands if name != "hand-unregularised")
