"""Which of COCO's 80 things a sentence names: words and their plurals, never parts of words.

A sentence is read from left to right, and of all terms that begin at a word the longest counts and uses up its words:
"hot dog" is a hot dog and no dog, "pit bull" is a dog and no cow. Upper and lower case are alike; hyphens and
apostrophes part words, so that "man's" names a man.

A word is in the table where in a description of a photo it mostly means the thing. What was decided:

- People by what they do are persons, as are crowds and families. "adults", "males" and "females" are, but not the
  singulars, which are said of dogs too. Left out: "group", "team", "fan", "boxer", "shepherd", and all pronouns.
- A rider names what is ridden where the word leaves no doubt: a cyclist is a person and a bicycle, a skier a person and
  skis, a tennis player a person and a racket, and "skiing" names skis. A biker or a rider is a person only. "bike" is a
  bicycle, "dirt bike" a motorcycle, and whatever one surfs on a surfboard.
- Breeds are dogs, kinds of birds are birds; "lab" only with its colour. A stuffed animal is COCO's "teddy bear".
- "ball" is a sports ball. So are football, basketball and volleyball, but not before a word such as player, game or
  field; baseball and soccer alone are games.
- "bat" is a baseball bat; "glove" alone is clothing, and "board" alone could be anything: left out.
- "table" is COCO's dining table, but for tables to play on; "plant" and "flower" only in a pot.
- "orange" is a colour, except as "oranges". "glass", "mouse", "keyboard", "remote", "bag" and "computer" count only
  with a second word that says which. "phone" is a cell phone, except one that stands on a street.
- "van", "jeep" and "taxi" are cars; "canoe", "kayak" and "raft" are boats; "jet ski" is neither a boat nor skis.
- Words that name a place by a thing do not name the thing: bus stop, train station, flower bed, ski lift.
"""

import itertools
import re
from collections.abc import Sequence

from explorer.datasets.coco_classes import COCO_THINGS
from explorer.datasets.labels import LabelFile

_PERSON = """
    person, people, human, man, woman, boy, girl, child, kid, baby, infant, toddler, guy, gentleman, lady, teenager,
    teen, youth, youngster, someone, somebody, individual, crowd, audience, family, couple, mother, father, mom, mum,
    dad, parent, son, daughter, brother, sister, grandmother, grandfather, husband, wife, bride, groom, bridesmaid,
    friend, owner, tourist, pedestrian, bystander, onlooker, spectator, passerby, player, athlete, teammate, goalie,
    goalkeeper, quarterback, batter, catcher, umpire, referee, cheerleader, coach, runner, jogger, racer, sprinter,
    swimmer, diver, surfer, windsurfer, bodyboarder, wakeboarder, kayaker, rower, hiker, climber, skier, snowboarder,
    skateboarder, skater, boarder, sledder, biker, cyclist, bicyclist, motorcyclist, rider, driver, jockey, gymnast,
    wrestler, fighter, dancer, ballerina, performer, entertainer, musician, guitarist, drummer, singer, artist,
    painter, photographer, clown, acrobat, juggler, worker, construction worker, officer, police officer, policeman,
    policewoman, fireman, firefighter, soldier, fisherman, cowboy, cowgirl, businessman, businesswoman, workman,
    vendor, waiter, waitress, chef, waterskier, rollerblader, opponent, adults, males, females, tennis player,
    ball player, football player, basketball player, volleyball player, student, teacher, trainer, handler, protester,
    shopper, passenger, customer, camper, monk, nun, sports team, soccer team, baseball team, football team,
    basketball team, volleyball team, hockey team, cameraman, tv cameraman, television cameraman
"""
_DOG = """
    dog, puppy, pup, doggy, doggie, canine, mutt, hound, greyhound, poodle, labrador, retriever, terrier, bulldog,
    pit bull, pitbull, collie, dalmatian, dalmation, beagle, pug, chihuahua, husky, rottweiler, doberman, dachshund,
    spaniel, corgi, sheep dog, mastiff, whippet, schnauzer, malamute, pomeranian, sheepdog, great dane, saint bernard,
    st bernard, german shepherd, australian shepherd, german shepard, black lab, yellow lab, brown lab, chocolate lab
"""
_BIRD = """
    bird, duck, duckling, goose, swan, pigeon, seagull, gull, seabird, eagle, hawk, falcon, heron, egret, stork,
    pelican, flamingo, parrot, parakeet, peacock, penguin, ostrich, owl, crow, raven, dove, sparrow, chicken, rooster,
    hen, turkey
"""
_TERMS = {
    "person": _PERSON,
    "bicycle": "bicycle, bike, bmx, cyclist, bicyclist, biking, cycling, bicycling, mountain biker",
    "car": "car, automobile, taxi, cab, taxicab, jeep, suv, sedan, van, minivan, limousine, limo, racecar",
    "motorcycle": """motorcycle, motor cycle, motorbike, motor bike, dirt bike, dirtbike, motocross bike, moped, vespa,
        motor scooter, motorcyclist, motorcycling, dirt biker, motocross rider, motocross biker, motorcycle racer""",
    "airplane": "airplane, aeroplane, plane, aircraft, jet plane, fighter jet, airliner, biplane, seaplane",
    "bus": "bus, school bus, greyhound bus",
    "train": "train, locomotive, tram, subway car, train car",
    "truck": "truck, firetruck, fire engine, lorry, pickup, truck bed",
    "boat": """boat, canoe, kayak, raft, sailboat, rowboat, speedboat, motorboat, ship, yacht, dinghy, ferry, gondola,
        canoeing, kayaking, rafting, kayaker, rower""",
    "traffic light": "traffic light, traffic signal, stoplight, stop light",
    "fire hydrant": "fire hydrant, hydrant",
    "bird": _BIRD,
    "cat": "cat, kitten, kitty",
    "dog": _DOG,
    "horse": "horse, pony, stallion, mare, foal, bronco, horseback",
    "sheep": "sheep, lamb, ewe",
    "cow": "cow, cattle, bull, calf, ox",
    "backpack": "backpack, back pack, rucksack, knapsack, book bag, bookbag",
    "umbrella": "umbrella, parasol",
    "handbag": "handbag, hand bag, purse, pocketbook, shoulder bag, tote bag, messenger bag",
    "tie": "tie, necktie, neck tie, bow tie, bowtie",
    "suitcase": "suitcase, luggage",
    "frisbee": "frisbee, disc, disk",
    "skis": "skis, skier, skiing",
    "snowboard": "snowboard, snow board, snowboarder, snowboarding",
    "sports ball": """ball, sports ball, football, basketball, volleyball, beachball, soccer ball, tennis ball,
        golf ball, rugby ball, beach ball, bowling ball""",
    "baseball bat": "baseball bat, softball bat, cricket bat, bat",
    "baseball glove": "baseball glove, softball glove, catchers mitt, catcher s mitt, baseball mitt, mitt",
    "skateboard": "skateboard, skate board, skateboarder, skateboarding",
    "surfboard": """surfboard, surf board, boogie board, boogieboard, body board, bodyboard, paddleboard, paddle board,
        wakeboard, windsurf, surfer, surfing, bodyboarder, bodyboarding, wakeboarder, wakeboarding, windsurfer,
        windsurfing""",
    "tennis racket": """tennis racket, tennis racquet, racket, racquet, tennis player, playing tennis,
        plays tennis, play tennis""",
    "wine glass": "wine glass, wineglass, glass of wine, glasses of wine, champagne glass, goblet",
    "cup": "cup, mug, teacup",
    "knife": "knife",
    "sandwich": "sandwich, hamburger, cheeseburger, burger",
    "orange": "oranges",
    "hot dog": "hot dog, hotdog",
    "donut": "donut, doughnut",
    "cake": "cake, cupcake",
    "chair": "chair, armchair, high chair, highchair",
    "couch": "couch, sofa, sofa bed, loveseat, futon",
    "potted plant": "potted plant, houseplant, house plant, flower pot, flowerpot, potted flower, potted tree",
    "dining table": "dining table, dinner table, table",
    "tv": "tv, television, television set, tv set, tv screen, television screen, computer monitor, computer screen",
    "laptop": "laptop, laptop computer, notebook computer",
    "mouse": "computer mouse",
    "remote": "remote control, tv remote, wii remote",
    "keyboard": "computer keyboard",
    "cell phone": "cell phone, cellphone, mobile phone, smartphone, iphone, phone, camera phone",
    "oven": "oven, stove",
    "refrigerator": "refrigerator, fridge",
    "clock": "clock",
    "teddy bear": """teddy bear, teddy, stuffed bear, stuffed animal, stuffed toy, stuffed dog, stuffed cat,
        stuffed rabbit, stuffed monkey, stuffed elephant, stuffed giraffe, stuffed duck, stuffed bird, stuffed kitten,
        plush toy""",
    "hair drier": "hair drier, hair dryer, hairdryer, blow dryer",
    "toothbrush": "toothbrush, tooth brush",
}
"""Terms of each thing, singular, with commas between them; a thing that is not here goes by its own name."""

_NOTHING = """
    couple of, hot air, corn dog, prairie dog, bear hug, rubber duck, bird cage, birdcage, bird house, bird bath,
    bus stop, bus station, train station, train stop, train track, train platform, cable car, car seat, bumper car,
    flower bed, river bed, stream bed, creek bed, lake bed, garden bed, ball pit, ball gown, disco ball, tie dye,
    tie dyed, jet ski, water ski, ski lift, ski jump, pool table, ping pong table, table tennis, tennis table,
    chair lift, world cup, super bowl, skate bowl, apple tree, orange juice, remote controlled, phone booth,
    pay phone, payphone, public phone, phone pole, tv camera, television camera, toilet paper, stove pipe, red bull,
    o clock, build a bear, football game, football match, football field, football uniform, football jersey,
    football helmet, football stadium, football practice, basketball game, basketball match, basketball court,
    basketball uniform, basketball jersey, basketball hoop, basketball goal, basketball net, volleyball game,
    volleyball match, volleyball court, volleyball net
"""
"""Terms that would name something, word by word, but do not."""

_IRREGULAR = {
    "person": "persons", "child": "children", "foot": "feet", "goose": "geese", "mouse": "mice", "sheep": "sheep",
    "knife": "knives", "calf": "calves", "ox": "oxen", "passerby": "passersby", "bus": "buses", "aircraft": "aircraft",
}  # fmt: skip
_NO_PLURAL = frozenset(
    {"tie", "sink", "people", "skis", "oranges", "cattle", "scissors", "luggage", "bmx", "adults", "males", "females"}
)
"""Words that have none, and words whose plural is mostly a verb."""

_WORD = re.compile(r"[^\W_]+")


def classes_named(sentence: str) -> frozenset[int]:
    """Numbers of the things that a sentence names, into :data:`~explorer.datasets.coco_classes.COCO_THINGS`."""
    words = _WORD.findall(sentence.casefold())
    found: set[int] = set()
    place = 0
    while place < len(words):
        longest = min(_LONGEST_FROM.get(words[place], 0), len(words) - place)
        if not longest:  # most words begin no term
            place += 1
            continue
        terms = (tuple(words[place : place + n]) for n in range(longest, 0, -1))
        term = next((term for term in terms if term in _CLASSES_OF_TERM), None)
        if term is None:
            place += 1
        else:
            found.update(_CLASSES_OF_TERM[term])
            place += len(term)
    return frozenset(found)


def labels_from_sentences(names: Sequence[str], sentences: Sequence[Sequence[str]]) -> LabelFile:
    """Classes that any of the sentences of a photo or clip names, by what each is called."""
    found = {
        name: tuple(sorted(frozenset().union(*map(classes_named, own))))
        for name, own in zip(names, sentences, strict=True)
    }
    return LabelFile(COCO_THINGS, found)


def _split(terms: str) -> list[tuple[str, ...]]:
    return [tuple(term.split()) for term in terms.split(",")]


def _plural(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("man") and word != "human":
        return word[:-2] + "en"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def _with_plural(term: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [term] if term[-1] in _NO_PLURAL else [term, (*term[:-1], _plural(term[-1]))]


def _classes_of_term() -> dict[tuple[str, ...], frozenset[int]]:
    """Every term, singular and plural, as words, with the numbers of what it names."""
    found: dict[tuple[str, ...], frozenset[int]] = {}
    for number, thing in enumerate(COCO_THINGS):
        for term in _split(_TERMS.get(thing, thing)):
            for form in _with_plural(term):
                found[form] = found.get(form, frozenset()) | {number}
    for term in _split(_NOTHING):
        found.update(dict.fromkeys(_with_plural(term), frozenset()))
    return found


_CLASSES_OF_TERM = _classes_of_term()
_LONGEST_FROM = {
    first: max(len(term) for term in terms)
    for first, terms in itertools.groupby(sorted(_CLASSES_OF_TERM), key=lambda term: term[0])
}
"""Words of the longest term that begins with a word."""
