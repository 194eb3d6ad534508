"""Any pattern of readers and cases, against iMRMC (R package 2.1.1) and MRMCaov 0.3.0 on Van Dyke's ratings."""

import io
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from classifier.metrics import notes
from reader_study import mrmc
from reader_study.statistics import nested_readers, one_shot, patterns, study_exchange
from reader_study.statistics.coded import parts
from reader_study.statistics.rated import compared
from reader_study.statistics.ratings import read_ratings
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each
from tests.reader_study import van_dyke
from tests.reader_study.made_study import made_study

RATINGS, TRUTH = van_dyke.ratings()
TEST, READER, CASE = np.indices(RATINGS.shape)
CLOSE = {"rel": 1e-9, "abs": 1e-12}
CELLS = {
    patterns.CROSSED: RATINGS > 0,
    patterns.SPLIT_PLOT: (READER < 3) == (CASE % 2 == 0),
    patterns.CASES_IN_READERS: CASE % 5 == READER,
    patterns.CASES_IN_TESTS: CASE % 2 == TEST,
    patterns.READERS_IN_TESTS: (READER < 3) == (TEST == 0),
    patterns.PARTLY_CROSSED: (TEST + 2 * READER + 3 * CASE) % 7 != 0,
}
# iMRMC's doAUCmrmc: AUC, its variance and degrees of freedom of both tests; variance, df, p, low and high of the
# difference.
IMRMC = {
    patterns.CROSSED: (
        (0.8970370370370371, 0.001093704489879964, 11.757308109302),
        (0.9408373590982286, 0.00046187159143613, 11.52334622691529),
        (
            0.0004273125167449689,
            12.81341100598166,
            0.05564666432181054,
            -0.08883973602788861,
            0.001239091905505495,
        ),
    ),
    patterns.SPLIT_PLOT: (
        (0.9096541042849767, 0.002086561347396628, 10.06727148100941),
        (0.947212183789365, 0.0003576324244371507, 6.787919866074842),
        (0.0008631310893880526, 5.2600879180538, 0.2572352099612221, -0.113079441612669, 0.03796328260389245),
    ),
    patterns.CASES_IN_READERS: (
        (0.9371980676328503, 0.001023782141155869, 4),
        (0.966988727858293, 9.923113605097753e-05, 4),
        (0.0004384612351946175, 4, 0.2279003896326302, -0.08792793802899523, 0.02834661757810975),
    ),
    patterns.CASES_IN_TESTS: (
        (0.9358441558441558, 0.0008046932822716129, 22.0218548579962),
        (0.9262148337595908, 0.0009536636491232083, 13.36168511864813),
        (
            0.001395467902265312,
            18.44704387152305,
            0.7995068467970021,
            -0.06885264196523798,
            0.08811128613436801,
        ),
    ),
    patterns.READERS_IN_TESTS: (
        (0.8940955448201825, 0.0009228379685025549, 13.06773283263537),
        (0.9646537842190016, 0.001204845510565746, 1.000637069734823),
        (
            0.001915654603432115,
            1.047466973666479,
            0.3534651576721988,
            -0.6266858438888725,
            0.4855693650912343,
        ),
    ),
    patterns.PARTLY_CROSSED: (
        (0.8959778695003073, 0.00119919316536157, 15.26134134888539),
        (0.9343544857768052, 0.0004457403120108697, 10.29495235594322),
        (
            0.000537825739798376,
            24.16803134762625,
            0.1109853735624726,
            -0.08624063282846473,
            0.009487400275468905,
        ),
    ),
}
# MRMCaov's summary (jackknife): F, df2, p, difference, low and high; standard errors of the tests' means.
MRMCAOV = {
    patterns.SPLIT_PLOT: (
        1.62341841540246, 5.51267731328358, 0.25368875894936, -0.0372740558674063, -0.110419292086544,
        0.0358711803517316, 0.0410172941269488, 0.0212813066055811,
    ),
    patterns.CASES_IN_READERS: (
        2.06805285124018, 4, 0.223796638711172, -0.0304029304029304, -0.0891009866163189, 0.0282951258104581,
        0.0292768939789715, 0.0151221876178974,
    ),
    patterns.CASES_IN_TESTS: (
        0.0643274077373794, 165.625498831888, 0.800097154834636, 0.00962932208456502, -0.0653308803265945,
        0.0845895244957245, 0.0288226572274255, 0.0312022354725209,
    ),
    patterns.PARTLY_CROSSED: (
        3.34439933709954, 7.91774493136292, 0.105221263663859, -0.0383666140579612, -0.0868329697893785,
        0.0100997416734561, 0.033056963725194, 0.024750209885445,
    ),
}  # fmt: skip
# iMRMC's uStat11.jointD of the positives rated 4 or 5: variance of each test's share and of the difference.
SHARES = {
    patterns.SPLIT_PLOT: (0.005304962894248582, 0.005913729128014821, 0.001217532467532484),
    patterns.CASES_IN_READERS: (0.006913580246913624, 0.006913580246913624, 0.001234567901234621),
    patterns.CASES_IN_TESTS: (0.005375836284927243, 0.007190238872658546, 0.007862517845332706),
    patterns.PARTLY_CROSSED: (0.005153683080292881, 0.004792700209792534, 0.0009322280872147894),
}


@each("name", CELLS)
def test_aucs_of_any_pattern_as_imrmc_has_them(name):
    cells = CELLS[name]
    assert patterns.pattern(cells) == name
    kernels = [one_shot.areas(values, TRUTH, read) for values, read in zip(RATINGS, cells, strict=True)]
    *tests, both = IMRMC[name]
    for kernel, (auc, variance, df) in zip(kernels, tests, strict=True):
        found = one_shot.mean(kernel)
        assert (found.value, found.se**2, found.df) == pytest.approx((auc, variance, df), **CLOSE)
    found = one_shot.difference(*kernels)
    said = (found.se**2, found.df, found.p, found.low, found.high)
    assert said == pytest.approx(both, **CLOSE) and found.value == tests[0][0] - tests[1][0]


@each("name", SHARES)
def test_shares_of_any_pattern_as_imrmc_has_them(name):
    kernels = [
        one_shot.shares((values >= 4)[:, TRUTH], read[:, TRUTH])
        for values, read in zip(RATINGS, CELLS[name], strict=True)
    ]
    found = (*map(one_shot.mean, kernels), one_shot.difference(*kernels))
    assert [one.se**2 for one in found] == pytest.approx(SHARES[name], **CLOSE)


@each("name", MRMCAOV)
def test_obuchowski_rockette_of_nested_cases_as_mrmcaov_has_it(name):
    found = mrmc.compare(mrmc.auc(RATINGS, TRUTH, CELLS[name]))
    pair = found.pairs[0]
    said = (pair.rrrc.f, pair.rrrc.df2, pair.rrrc.p, pair.difference, pair.rrrc.low, pair.rrrc.high)
    assert (*said, *(test.se for test in found.tests)) == pytest.approx(MRMCAOV[name], **CLOSE)


def test_nested_readers_by_the_components_of_mrmcaov():
    """Its components, but not its weight of them: of 3 and 2 readers that is (25 - 13)/5 and not (5 - 13)/5."""
    values = mrmc.auc(RATINGS, TRUTH)
    found = nested_readers.difference(values[0][:3], values[1][3:])
    spread, cov2, cov3 = 0.00146805938395786, 0.000449266684529025, 0.000107554053624514
    variance = spread + 12 / 5 * (cov2 - cov3)
    assert found.value == pytest.approx(-0.0705582393988191, **CLOSE)
    assert found.se == pytest.approx((variance * (1 / 3 + 1 / 2)) ** 0.5, **CLOSE)
    assert found.df == pytest.approx(variance**2 / (spread**2 / 3), **CLOSE)
    # The U-statistics, which know nothing of such components, agree.
    assert found.se == pytest.approx(IMRMC[patterns.READERS_IN_TESTS][2][0] ** 0.5, rel=0.01)


def test_the_mean_of_sensitivity_and_specificity_is_that_of_its_halves():
    """Blocks of unequal size: each reader counts the same."""
    cells = (READER[0] < 3) == (CASE[0] % 3 == 0)
    positive = RATINGS[0] >= 3
    halves = [
        np.mean([right[read].mean() for right, read in zip(said[:, chosen], cells[:, chosen], strict=True)])
        for said, chosen in ((positive, TRUTH), (~positive, ~TRUTH))
    ]
    kernel = one_shot.balanced(positive, TRUTH, cells).readers_equal()
    assert kernel.mean == pytest.approx(sum(halves) / 2)
    # The difference to itself varies not at all, and one reader says nothing of others.
    assert one_shot.mean(kernel - kernel).note == notes.NO_VARIANCE
    alone = one_shot.balanced(positive[:1], TRUTH, cells[:1])
    assert one_shot.mean(alone).note == notes.ONE_READER
    one_case = one_shot.shares(positive[:, :1], np.ones((5, 1), bool))
    assert one_shot.mean(one_case).note == notes.ONE_IN_CLASS


def test_patterns():
    few = RATINGS > 0
    few[0, 0, :9] = False
    assert patterns.pattern(few) == patterns.FEW_GAPS
    assert patterns.method(few, RATINGS > 0) == patterns.OBUCHOWSKI_ROCKETTE
    assert patterns.method(few, few) == patterns.U_STATISTICS
    assert patterns.blocks(CELLS[patterns.SPLIT_PLOT][0]) == [[0, 1, 2], [3, 4]]
    assert patterns.blocks(CELLS[patterns.PARTLY_CROSSED][0]) == []


def test_files_of_imrmc(tmp_path):
    text = "notes\nBEGIN DATA:\n" + "".join(f"truth,c{n},truth,{n % 2}\n" for n in range(4))
    path = tmp_path / "a.imrmc"
    path.write_text(text + "r1,c0,A,1\nr1,c1,A,2.5\nr2,c3,A,-1\nr2,c2,A,0\n")
    found = read_ratings(path)
    assert (found.tests, found.readers) == (("A",), ("r1", "r2"))
    assert np.isnan(found.values).sum() == 4 and list(found.rows())[1] == ("A", "r1", "c1", 2.5)
    for broken, why in (
        ("r1,c9,A,1", "c9.*has no line of the truth"),
        ("r1,c0,A", "four cells"),
        ("r1,c0,A,x", "number"),
    ):
        path.write_text(f"{text}{broken}\n")
        with pytest.raises(ValueError, match=f"a.imrmc, row 7.*{why}"):
            read_ratings(path)
    path.write_text("r1,c0,A,1\n")
    with pytest.raises(ValueError, match="BEGIN DATA"):
        read_ratings(path)
    # As a spreadsheet program leaves it, with a remark; and names and areas that look like a mistake are told.
    rows = [
        *text.splitlines()[2:],
        "truth,c9,truth,1",
        "# by hand",
        *(f"R1,c{n},A,{-n % 2}" for n in range(3)),
    ]
    rows += ["r01,c3,A,0", "", "// end"]
    path.write_bytes("\r\n".join(["notes,,,", "begin data,,,", *(f"{row},," for row in rows)]).encode())
    found = read_ratings(path)
    assert found.readers == ("R1", "r01") and [*found.rows()][1] == ("A", "R1", "c1", 1)
    unrated, alike = compared(found, "jackknife")["doubts"]
    assert (unrated["names"], alike["kind"], alike["names"]) == (["c9"], "readers", ["R1", "r01"])
    (turned,) = compared(replace(found, values=-found.values, readers=("A", "B")), "jackknife")["doubts"][1:]
    assert (turned["dataset"], turned["auc"]) == ("A", 0)


def test_a_study_for_other_programs(tmp_path):
    """The file of iMRMC has each reader's mean of sensitivity and specificity, and not the model."""
    tables = made_study(n=60, readers=3, datasets=("asan",), missing=0.1)
    tables = replace(
        tables, answers=tuple(replace(one, reader=f"Dr, {one.reader}") for one in tables.answers)
    )
    found = dict(study_exchange.files(tables))
    assert {name.partition("/")[0] for name in found} == {"imrmc", "mrmcaov.csv", "README.txt"}
    name = next(name for name in found if name.startswith("imrmc/"))
    path = tmp_path / "one.imrmc"
    path.write_bytes(found[name])
    read = read_ratings(path)
    assert (read.tests, read.readers[0]) == (("unaided", "aided"), "Dr_ reader-00")
    (part,) = parts(tables)
    key = name.partition("-")[2].removesuffix(".imrmc")
    truth = part.truth == DISEASE_KEYS.index(key)
    codes = part.sessions[0].codes[0]
    said, answered = codes == DISEASE_KEYS.index(key), codes >= 0
    halves = said[truth & answered].mean(), 1 - said[~truth & answered].mean()
    area = one_shot.areas(read.values[0, :1], read.truth, read.cells[0, :1]).mean
    assert area == pytest.approx(sum(halves) / 2)
    lines = found["mrmcaov.csv"].decode().splitlines()
    assert lines[0] == "dataset,disease,test,reader,case,truth,rating" and any(
        ",AI,AI," in line for line in lines
    )
    # A whole study is written for RJafroc too, as a workbook.
    whole = dict(study_exchange.files(made_study(n=30, readers=2, sessions=("unaided",), datasets=("asan",))))
    book = zipfile.ZipFile(
        io.BytesIO(next(content for name, content in whole.items() if name.endswith(".xlsx")))
    )
    sheets = [ElementTree.fromstring(book.read(f"xl/worksheets/sheet{n}.xml")) for n in (1, 2, 3)]
    rows = [len(sheet[0]) - 1 for sheet in sheets]
    assert rows[0] == 30 and rows[1] + rows[2] == 60
    assert [cell[0][0].text for cell in sheets[0][0][1][3:]] == ["1, 2", "1", "ROC"]
