"""Splits never part a patient, and say what they did."""

from datetime import date, timedelta

import pytest

from skinclinic.archive.services.datasets import splits
from skinclinic.archive.services.datasets.splits import Member
from tests.cases import each


def people(counts, start=date(2010, 1, 1)):
    pk, rows = 0, []
    for person, count in enumerate(counts):
        for photo in range(count):
            pk += 1
            day = start + timedelta(days=30 * person + 400 * photo)
            rows.append(Member(pk, f"{pk:064x}", f"p{person}", day))
    return rows


@each("method", splits.METHODS)
@each("seed", range(5))
def test_a_patient_is_on_one_side_and_sizes_add_up(method, seed):
    members = people([1, 7, 2, 3, 1, 1, 9, 4, 2, 5])
    sides, said = splits.split(members, method, 0.7, seed)
    assert set(sides) == {member.pk for member in members}
    by_person = {}
    for member in members:
        by_person.setdefault(member.person, set()).add(sides[member.pk])
    assert all(len(found) == 1 for found in by_person.values())
    assert said["train"] + said["test"] == len(members)
    assert (said["train"], said["test"]) == tuple(
        list(sides.values()).count(side) for side in (splits.TRAIN, splits.TEST)
    )


def test_by_time_the_oldest_patients_train_and_the_boundary_is_said():
    members = people([2] * 10)
    sides, said = splits.split(members, splits.TIME, 0.9)
    assert {member.person for member in members if sides[member.pk] == "test"} == {"p9"}
    assert said["boundary"] == date(2010, 9, 28).isoformat()
    # Each training patient came back 400 days later, after the first test photo.
    assert said["straddling"] == 9


def test_photos_of_unknown_patients_stand_alone_and_without_date_count_as_oldest():
    members = [Member(n, f"{n:064x}", "", date(2015, 1, n)) for n in range(1, 10)] + [Member(10, "f" * 64)]
    sides, said = splits.split(members, splits.TIME, 0.9)
    assert sides[10] == "train" and sides[9] == "test"
    assert said["unknown_patient"] == 10 and said["undated"] == 1


def test_joined_photos_and_equal_contents_stay_together():
    members = [Member(n, f"{n // 2:064x}", f"p{n}") for n in range(20)]
    for seed in range(10):
        sides, said = splits.split(members, splits.RANDOM, 0.5, seed, joined=[(0, 19), (0, 777)])
        assert sides[0] == sides[1] == sides[18] == sides[19]
        assert all(sides[n] == sides[n + 1] for n in range(0, 20, 2))
        assert said["joined"] > 0


def test_the_same_seed_gives_the_same_split_whatever_the_keys():
    members = people([2, 3, 1, 4, 2, 2])
    others = [Member(m.pk + 500, m.sha256, f"x{m.person}", m.taken_on) for m in reversed(members)]
    one, _ = splits.split(members, splits.RANDOM, 0.5, 3)
    two, _ = splits.split(others, splits.RANDOM, 0.5, 3)
    assert {pk + 500: side for pk, side in one.items()} == two


@pytest.mark.parametrize("share", [0, 1, -1, float("nan")])
def test_shares_that_make_no_sense_are_refused(share):
    with pytest.raises(splits.CannotSplit):
        splits.split(people([1, 1]), splits.RANDOM, share)


def test_one_patient_cannot_be_split():
    with pytest.raises(splits.CannotSplit):
        splits.split(people([5]), splits.RANDOM, 0.5)


def test_two_patients_are_enough():
    members = [splits.Member(pk, f"{pk:064d}", person) for pk, person in enumerate("aabb", start=1)]
    sides, _said = splits.split(members, splits.PATIENT, 0.5)
    assert sides[1] == sides[2] != sides[3] == sides[4]


@each("method", splits.METHODS)
@each("seed", range(5))
def test_photos_of_a_lesion_stay_together_where_no_patient_is_known(method, seed):
    members = [
        Member(
            n, f"{n * 7919 % 997:064x}", taken_on=date(2015, 1, 1 + n % 28), lesion=f"l{n % 40}", label="mm"
        )
        for n in range(80)
    ]
    sides, said = splits.split(members, method, 0.8, seed)
    by_lesion = {}
    for member in members:
        by_lesion.setdefault(member.lesion, set()).add(sides[member.pk])
    assert all(len(found) == 1 for found in by_lesion.values())
    assert (said["train_groups"], said["test_groups"]) == (32, 8)
    assert (said["unknown_patient"], said["unknown_patient_lesions"], said["joined"]) == (80, 40, 0)


def test_a_lesion_joins_photos_of_a_known_and_an_unknown_patient():
    members = [
        Member(1, "a", "p1", lesion="l1"),
        Member(2, "b", "", lesion="l1"),
        Member(3, "c", "p1"),
        Member(4, "d"),
    ]
    groups = splits.together(members, [])
    assert sorted(sorted(member.pk for member in group) for group in groups) == [[1, 2, 3], [4]]


def made_of(diseases: dict[str, int], photos: int = 2) -> list[Member]:
    """So many patients of each disease with so many photos; every fifth also has the commonest disease."""
    commonest = max(diseases, key=lambda key: diseases[key])
    rows = []
    for label, count in diseases.items():
        for n in range(count):
            for photo in range(photos):
                shown = commonest if photo and n % 5 == 0 else label
                pk = len(rows)
                rows.append(
                    Member(pk, f"{pk * 6007 % 9973:064x}", f"{label}{n}", lesion=f"l{pk}", label=shown)
                )
    return rows


@each("share", [0.5, 0.7, 0.8, 0.9])
@each("seed", range(4))
def test_stratified_each_disease_is_divided_in_the_share(share, seed):
    diseases = {"nevus": 71, "bcc": 91, "scc": 14, "sk": 26, "mm": 21, "df": 3}
    members = made_of(diseases)
    sides, said = splits.split(members, splits.STRATIFIED, share, seed)
    for label in diseases:
        patients = {member.person for member in members if member.label == label}
        trained = {
            member.person for member in members if member.label == label and sides[member.pk] == "train"
        }
        # Whole patients, rounded, and what commoner diseases gave a rarer one's patients.
        assert abs(len(trained) - share * len(patients)) <= 2, label
        assert 0 < len(trained) < len(patients), label
    # Patients of two diseases are in the share of both, so that the whole is near it, not at it.
    assert abs(said["train_groups"] / sum(diseases.values()) - share) < 0.02


def test_stratified_the_same_seed_gives_the_same_sides_whatever_the_order():
    members = made_of({"nevus": 20, "bcc": 10, "mm": 4})
    first, _said = splits.split(members, splits.STRATIFIED, 0.7, 3)
    again, _said = splits.split(members[::-1], splits.STRATIFIED, 0.7, 3)
    assert first == again
    assert splits.split(members, splits.STRATIFIED, 0.7, 4)[0] != first


def test_stratified_diseases_of_one_patient_each_keep_the_share():
    members = [Member(n, f"{n:064x}", f"p{n}", label=f"rare {n}") for n in range(10)]
    _sides, said = splits.split(members, splits.STRATIFIED, 0.8, 1)
    assert (said["train"], said["test"]) == (8, 2)
    _sides, said = splits.split(members[:2], splits.STRATIFIED, 0.8, 1)
    assert (said["train"], said["test"]) == (1, 1)
