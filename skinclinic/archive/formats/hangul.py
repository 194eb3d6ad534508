"""Whether letters that can be read as Korean are Korean: a Japanese or Chinese table makes Hangul, too, but hardly any
that Koreans write. Pure.
"""

from collections.abc import Iterable

from skinclinic.archive.formats.words import diseases, facts, sites
from skinclinic.archive.formats.words.folding import fold

# Of 100 syllables of Korean text and names 98 are among these; of 100 that wrong letters make, 20.
_COMMON = frozenset(
    "가각간감값강같개거건걸검것게겨견결겹겼경계고곡곳공과곽관광교구국군굽권귀균그극근글금기길김깁까깥께꼭꾸꿀꿉뀌뀐"
    "끝나낙난날남났낭내낸낼냅너넓넘넣네노논높누눈느는능니닌님닙다닥단닫달답당대더던데델도독돌동되된됨됩두둔둘둡뒤드"
    "득든들등디따딱때떤또뛰뜻라란람래램러런레려력렬렸례로록론뢰료루룹류률르른를름릅릎리린릴림립링마막만많말망맞매맹"
    "머먼멈메며면명몇모목못무문묻므미민밀및바박반받발밝방배백버벅번범법변별병보복본볼봅부분불붙브비빈빠빼뺀뺐뺨사삭"
    "산살상새색생서석선설성세셀셋소속손송쇄수숙순술숫스슬슴습슷승시식신실심쌍쑥쓰쓸씩아악안않알암압았야약양어언얼엄"
    "업없엇었엉에엔여역연열염였영예오옥온올옮옴옵와완왔왕외왼요용우운움웃워원월위유육윤율으은을음응의이인일읽임입있"
    "자작잘잠장재저적전절점접정젖제져조족종좌주준줄줍중증지직진질집짜째쪽차참찼찾채처천철첫청체쳐쳤초촉촬최추축출취"
    "측치친침카커컴켈코크큰큼큽키타탁태택터턱털테텍토톰톱통트특튼파판팔패페편평포폴표퓨프피필하학한할함합항해했행허"
    "험혀현혈형혜호혹혼홍화확환황회획횟효후훈흐흑희히힌"
)
_COMMON_WEIGHS, _OTHER_WEIGHS, _KNOWN_WORD_WEIGHS = 1.5, -3.0, 3.0
# Readers are often called by their family names alone; every second Korean has one of these.
_FAMILY_NAMES = frozenset("김이박최정")
# The odds, as a logarithm, from which nobody is asked.
_BEYOND_DOUBT = 3.0


def is_beyond_doubt(cells: Iterable[str]) -> bool:
    """Whether different cells of a table, taken together, are Korean."""
    weight = 0.0
    for cell in cells:
        weight += _KNOWN_WORD_WEIGHS if _is_word(cell) else 0.0
        for letter in cell:
            if letter in _COMMON:
                weight += _COMMON_WEIGHS
            elif letter.isalpha() and not letter.isascii():
                weight += _OTHER_WEIGHS
    return weight >= _BEYOND_DOUBT


def _is_word(cell: str) -> bool:
    return (
        cell in _FAMILY_NAMES or fold(cell) in facts.SEXES or bool(sites.known(cell) or diseases.known(cell))
    )
