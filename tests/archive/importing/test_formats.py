"""Each format as its owner publishes it, in small synthetic files: what is read of it, and what is asked."""

import csv
import io

import pytest

from skinclinic.archive.formats.joined import Joined
from skinclinic.archive.formats.photo_sets import open_photos
from skinclinic.archive.formats.reading import Source
from skinclinic.archive.formats.rows import Row
from skinclinic.archive.formats.tables import Table
from tests.factories import jpeg_bytes


@pytest.fixture
def read(tmp_path):
    """Rows of a table in a format; every one must be readable."""

    def rows(
        format: str, header: str, *lines: str, second: list[str] | None = None, key: str = "", **said
    ) -> list[Row]:
        table = Table(_write(tmp_path / "t.csv", [header, *lines]))
        if second:
            table = Joined(tmp_path / "t.csv", Table(_write(tmp_path / "s.csv", second)), key)
        source = Source(format, open_photos(None), table, **said)
        found = list(source.rows())
        assert not [problem for _number, row, problems in found for problem in problems if row is None]
        return [row for _number, row, _problems in found]

    return rows


def _write(path, lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def cells(**values) -> str:
    """One line of a table."""
    text = io.StringIO()
    csv.writer(text).writerow(values.values())
    return text.getvalue().strip()


PAD = (
    "patient_id,lesion_id,smoke,drink,background_father,background_mother,age,pesticide,gender,skin_cancer_history,"
    "cancer_history,has_piped_water,has_sewage_system,fitspatrick,region,diameter_1,diameter_2,diagnostic,itch,grew,"
    "hurt,changed,bleed,elevation,img_id,biopsed"
)


def test_pad_ufes_20_as_published_names_its_file_by_its_id(read):
    line = "PAT_1,881,False,True,POMERANIA,ITALY,55,False,FEMALE,True,True,True,True,3.0,ARM,6.0,5.0,ACK,True,UNK,"
    (row,) = read("pad-ufes-20", PAD, f"{line}False,UNK,True,True,PAT_1_881_939.png,True")
    assert (row.file, row.label, row.patient, row.lesion) == ("PAT_1_881_939.png", "ACK", "PAT_1", "881")
    assert (row.age, row.sex, row.skin_type, row.site, row.is_proven) == (55, "female", 3, "upper_limb", True)
    assert row.columns["background_mother"] == "ITALY" and row.columns["region"] == "ARM"


ISIC_2026 = (
    "isic_id,attribution,copyright_license,age_approx,anatom_site_1,anatom_site_2,anatom_site_3,anatom_site_4,"
    "anatom_site_special,diagnosis_1,diagnosis_2,diagnosis_3,diagnosis_4,diagnosis_confirm_type,"
    "fitzpatrick_skin_type,image_manipulation,image_type,lesion_id,melanocytic,patient_id,sex"
)


def test_isic_archive_since_2026(read):
    line = "ISIC_1,A,CC-0,85,Lower extremity,Foot,Sole of foot,Heel,,Malignant,Melanocytic (Melanoma),Melanoma in situ,"
    line += '"Melanoma in situ, Acral or acral-lentiginous",histopathology,II,synthetic,clinical: close-up,L1,,P1,male'
    (row,) = read("isic", ISIC_2026, line)
    assert (row.site, row.is_synthetic, row.kind, row.skin_type) == ("foot", True, "close_up", 2)
    assert row.terms[:2] == ("Melanoma in situ, Acral or acral-lentiginous", "Melanoma in situ")
    assert (row.age, row.age_to) == (85, 120), "the archive writes 85 for all above"
    assert row.columns["anatom_site_3"] == "Sole of foot"


def test_a_level_that_is_not_known_leaves_the_wider_one(read):
    line = "ISIC_1,A,CC-0,,Upper extremity,Elbow,Antecubital fossa,,,Benign,,Nevus,,,,,dermoscopic,,,,"
    (row,) = read("isic", ISIC_2026, line)
    assert (row.site, row.kind, row.columns["anatom_site_2"]) == ("upper_limb", "dermoscopic", "Elbow")


def test_isic_archive_until_2025(read):
    header = "isic_id,age_approx,anatom_site_general,diagnosis_1,diagnosis_2,diagnosis_3,image_type,sex"
    rows = read(
        "isic", header,
        "I1,40.0,lower extremity,Benign,Melanocytic,Nevus,dermoscopic,female",
        "I2,,palms/soles,Benign,Melanocytic,Nevus,clinical: overview,",
        "I3,,lateral torso,Benign,Melanocytic,Nevus,TBP tile: close-up,",
    )  # fmt: skip
    assert [row.site for row in rows] == ["lower_limb", "palm_or_sole", "side_of_trunk"]
    assert [row.kind for row in rows] == ["dermoscopic", "overview", "close_up"]


def test_isic_2019_with_its_metadata(read):
    (row,) = read(
        "isic-2019", "image,age_approx,anatom_site_general,lesion_id,sex", "ISIC_1,55.0,anterior torso,MSK_1,male",
        second=["image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK", "ISIC_1,0.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0"], key="image",
    )  # fmt: skip
    assert (row.file, row.label, row.site, row.age, row.kind) == (
        "ISIC_1", "BCC", "front_of_trunk", 55, "dermoscopic",
    )  # fmt: skip


def test_milk10k_labels_the_lesion_of_two_photos(read):
    header = "lesion_id,image_type,isic_id,attribution,copyright_license,image_manipulation,age_approx,sex,"
    header += "skin_tone_class,site,MONET_ulceration_crust"
    rows = read(
        "milk10k", header,
        "IL_1,clinical: close-up,ISIC_1,A,CC-BY-NC,,55,male,4,trunk,0.1",
        "IL_1,dermoscopic,ISIC_2,A,CC-BY-NC,,55,male,4,trunk,0.2",
        second=[
            "lesion_id,AKIEC,BCC,BEN_OTH,BKL,DF,INF,MAL_OTH,MEL,NV,SCCKA,VASC", "IL_1,0,0,0,0,0,0,0,1,0,0,0",
        ],
        key="lesion_id",
    )  # fmt: skip
    assert [(row.label, row.kind, row.lesion, row.site) for row in rows] == [
        ("MEL", "close_up", "IL_1", "trunk"), ("MEL", "dermoscopic", "IL_1", "trunk"),
    ]  # fmt: skip
    assert rows[0].skin_type is None and rows[0].columns["skin_tone_class"] == "4"


def test_isic_2020(read):
    header = "image_name,patient_id,lesion_id,sex,age_approx,anatom_site_general_challenge,diagnosis,"
    header += "benign_malignant,target"
    rows = read(
        "isic-2020", header, "ISIC_1,IP_1,IL_1,female,50,head/neck,unknown,benign,0",
        "ISIC_2,IP_1,IL_2,female,50,torso,melanoma,malignant,1",
    )  # fmt: skip
    assert [(row.label, row.site) for row in rows] == [("unknown", "head_neck"), ("melanoma", "trunk")]


def test_ham10000(read):
    header = "lesion_id,image_id,dx,dx_type,age,sex,localization,dataset"
    rows = read(
        "ham10000", header, "HAM_1,ISIC_1,nv,follow_up,45.0,unknown,acral,vidir_molemax",
        "HAM_2,ISIC_2,bcc,confocal,85.0,male,upper extremity,rosendahl",
    )  # fmt: skip
    first, second = rows
    assert (first.confirmed_by, first.site, first.columns["localization"], first.sex) == (
        "serial imaging showing no change", "", "acral", "",
    )  # fmt: skip
    assert (second.confirmed_by, second.age_to, second.kind, second.is_proven) == (
        "confocal microscopy with consensus dermoscopy", 120, "dermoscopic", False,
    )  # fmt: skip


def test_bcn20000(read):
    header = "bcn_filename,age_approx,anatom_site_general,diagnosis,lesion_id,capture_date,sex,split"
    (row,) = read(
        "bcn20000", header, "BCN_0000000001.jpg,55.0,anterior torso,MEL,BCN_0003884,2012-05-16,male,train"
    )
    assert (row.file, row.label, row.lesion, row.split) == (
        "BCN_0000000001.jpg",
        "MEL",
        "BCN_0003884",
        "train",
    )
    assert str(row.taken_on) == "2012-05-16"


def test_ddi_groups_of_skin_types_stay_groups_and_all_are_biopsied(read):
    rows = read(
        "ddi", ",DDI_ID,DDI_file,skin_tone,malignant,disease", "0,1,000001.png,56,True,melanoma-in-situ",
        "1,2,000002.png,12,False,seborrheic-keratosis",
    )  # fmt: skip
    assert [(row.skin_type, row.is_proven, row.confirmed_by) for row in rows] == [
        (56, True, "histopathology"), (12, True, "histopathology"),
    ]  # fmt: skip


def test_fitzpatrick17k_minus_one_is_not_known(read):
    header = "md5hash,fitzpatrick_scale,fitzpatrick_centaur,label,nine_partition_label,three_partition_label,qc,url,"
    header += "url_alphanum"
    rows = read(
        "fitzpatrick17k", header, "abc,-1,2,granuloma pyogenic,b,b,,,", "abd,6,5,psoriasis,b,b,1 Diagnostic,,"
    )
    assert [(row.file, row.skin_type) for row in rows] == [("abc", None), ("abd", 6)]
    assert rows[1].columns["qc"] == "1 Diagnostic"


SCIN = (
    "case_id,source,release,year,age_group,sex_at_birth,fitzpatrick_skin_type,race_ethnicity_asian,"
    "race_ethnicity_white,body_parts_arm,body_parts_leg,image_1_path,image_2_path,image_3_path,image_1_shot_type,"
    "image_2_shot_type,image_3_shot_type"
)


def test_scin_gives_each_photo_of_a_case(read):
    rows = read(
        "scin", SCIN,
        "-1,SCIN,1.0.0,2023,AGE_30_TO_39,OTHER_OR_UNSPECIFIED,FST2,YES,,,YES,dataset/images/1.png,dataset/images/2.png,,"
        "CLOSE_UP,AT_DISTANCE,",
        "-2,SCIN,1.0.0,2023,AGE_80_OR_ABOVE,FEMALE,NONE_SELECTED,,,YES,YES,dataset/images/3.png,,,AT_AN_ANGLE,,",
        second=[
            "case_id,dermatologist_skin_condition_on_label_name,weighted_skin_condition_label",
            "-1,['Eczema'],\"{'Eczema': 0.7, 'Psoriasis': 0.3}\"",
            "-2,\"['A', 'B']\",\"{'A': 0.5, 'B': 0.5}\"",
        ],
        key="case_id",
    )  # fmt: skip
    assert [(row.file, row.kind, row.lesion) for row in rows] == [
        ("dataset/images/1.png", "close_up", "-1"), ("dataset/images/2.png", "overview", "-1"),
        ("dataset/images/3.png", "close_up", "-2"),
    ]  # fmt: skip
    first, _second, third = rows
    assert (first.label, first.age, first.age_to, first.sex, first.skin_type) == ("Eczema", 30, 39, "", 2)
    assert (first.site, first.ethnicity) == ("lower_limb", "Asian")
    assert (third.label, third.site, third.age, third.age_to) == ("", "", 80, 120), "a tie is nobody's label"


DERM7PT = (
    "case_num,diagnosis,seven_point_score,pigment_network,streaks,pigmentation,regression_structures,"
    "dots_and_globules,blue_whitish_veil,vascular_structures,level_of_diagnostic_difficulty,elevation,location,sex,"
    "clinic,derm,case_id,notes,management"
)


def test_derm7pt_has_two_photos_a_case(read):
    line = (
        "1,melanoma (in situ),3,atypical,absent,absent,absent,absent,absent,absent,low,flat,lower limbs,male,"
    )
    rows = read("derm7pt", DERM7PT, f"{line}NEL/NEL025.JPG,NEL/Nel026.jpg,NEL,,excision")
    assert [(row.file, row.kind, row.lesion, row.site) for row in rows] == [
        ("NEL/NEL025.JPG", "close_up", "1", "lower_limb"), ("NEL/Nel026.jpg", "dermoscopic", "1", "lower_limb"),
    ]  # fmt: skip


def test_dermofit_as_delivered_and_by_class(tmp_path):
    for number, name in enumerate(
        (
            "AK/A1/A1.png",
            "AK/A1/A1mask.png",
            "Seborrhoeic Keratosis/S9/S9.png",
            "ML/x.png",
            "__MACOSX/AK/._A1.png",
        )
    ):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg_bytes(number, 80, 80))
    photos = open_photos(tmp_path / "set")
    rows = [row for _number, row, _problems in Source("dermofit", photos).rows()]
    assert [(row.label, row.lesion) for row in rows] == [
        ("AK", "AK/A1"), ("ML", ""), ("Seborrhoeic Keratosis", "Seborrhoeic Keratosis/S9"),
    ]  # fmt: skip
    assert {kind: len(names) for kind, names in photos.passed_over.items()} == {
        "a mask or a picture of superpixels": 1, "a hidden file or one that macOS or Windows puts beside others": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("level", "label"), [(1, "c"), (2, "b"), (3, "a"), (-1, "a"), (-2, "b")])
def test_the_folder_at_a_stated_level_names_the_disease(tmp_path, level, label):
    path = tmp_path / "a" / "b" / "c" / "0.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(jpeg_bytes(0, 80, 80))
    ((_number, row, _problems),) = Source("folder", open_photos(tmp_path), level=level).rows()
    assert row.label == label


def test_a_row_of_a_one_hot_table_must_name_one_disease(tmp_path):
    table = Table(_write(tmp_path / "t.csv", ["image,MEL,NV,BCC", "a,1,1,0", "b,0,0,0.4", "c,x,1,0"]))
    found = list(Source("isic-2019", open_photos(None), table).rows())
    assert all(problems for _number, _row, problems in found)
