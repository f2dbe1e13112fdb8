"""Headers as JSON text: objects without repeated members, and other texts."""

from .headers import HEADER, LONG_KID
from .mint import ABSENT, Case, Part, accepted, case, header, sign, text, with_literal

UNIQUE = "RFC 7515, section 4: member names are unique"


def good() -> list[Case]:
    """Unusual but valid headers."""
    rows: list[tuple[str, str, Part]] = [
        ("plain", "a token as the broker makes it", header()),
        ("kid-512-bytes", "a key id as long as one may be", header(kid=LONG_KID)),
        ("kid-unicode", "a key id outside of ASCII", header(kid="cl\u00e9")),
        ("typ-absent", "no type", header(typ=ABSENT)),
        ("typ-lower", "the type in lower case", header(typ="jwt")),
        ("typ-mixed", "the type in mixed case", header(typ="Jwt")),
        ("unknown-members", "members nobody has to know", header(x="y", n=[1, {"a": None}])),
        ("escapes", "every text has escapes", r'{"\u0061lg":"\u0052S256","kid":"rs\u0061-a"}'),
        (
            "white-space",
            "white space between all parts",
            ' {\n"alg" : "RS256" ,\t"kid":"rsa-a"\r}\n',
        ),
        (
            "other-order",
            "the members in another order",
            '{"typ":"JWT","kid":"rsa-a","alg":"RS256"}',
        ),
        ("kid-escapes", "every letter of the key id has an escape", escaped("kid", "rsa-a")),
        ("alg-escapes", "every letter of the algorithm has an escape", escaped("alg", "RS256")),
        ("16-levels", "as many levels as there may be", levels(16)),
        ("16-objects", "as many levels of objects as there may be", objects(16)),
        ("256-members", "as many members as there may be", header(**numbered(253))),
        ("1024-digits", "a number as long as one may be", with_literal(header(), "x", "9" * 1024)),
        ("large", "a header of eight thousand bytes", header(x="x" * 8000)),
        ("other-case", "members that differ in case", header(ALG="none", Kid="rsa-b", TYP=1)),
        ("enc-ignored", "a member encrypted tokens have", header(enc="A128GCM")),
        ("claims-in-header", "claims of another in the header", header(iss="x", aud="x", exp=0)),
        (
            "prototype",
            "members named like parts of a JavaScript object",
            header(**{"__proto__": {"alg": "none"}, "constructor": 1}),
        ),
    ]
    return [
        case(f"header-{name}", about, sign(head), accepted(), HEADER) for name, about, head in rows
    ]


def escaped(name: str, value: str) -> str:
    """A header with one text in escapes."""
    letters = "".join(f"\\u{ord(letter):04X}" for letter in value)
    return with_literal(header(), name, f'"{letters}"')


def levels(number: int) -> str:
    """A header with this depth."""
    return with_literal(header(), "x", "[" * (number - 1) + "]" * (number - 1))


def objects(number: int) -> str:
    """A header of objects in objects."""
    inner = '{"x":' * (number - 2) + "{}" + "}" * (number - 2)
    return with_literal(header(), "x", inner)


def numbered(number: int) -> dict[str, object]:
    """As many members without a meaning as `number` says."""
    return {f"m{index}": index for index in range(number)}


def json_texts() -> list[Case]:
    """Headers that are no JSON object, or more than one."""
    good_text = text(header())
    deep = "[" * 40 + "]" * 40
    texts: list[tuple[str, str, str | bytes]] = [
        ("array", "an array of the values", '["RS256","rsa-a","JWT"]'),
        ("array-of-object", "an object in an array", f"[{good_text}]"),
        ("string", "a string", '"RS256"'),
        ("null", "null", "null"),
        ("not-json", "no JSON", "RS256"),
        ("python", "single quotes", "{'alg':'RS256','kid':'rsa-a'}"),
        ("comment", "a comment", '{/**/"alg":"RS256","kid":"rsa-a"}'),
        ("trailing-comma", "a comma before the end", '{"alg":"RS256","kid":"rsa-a",}'),
        ("unclosed", "the end is missing", good_text[:-1]),
        ("trailing", "something after the object", f"{good_text}x"),
        ("two", "two objects", f"{good_text}{good_text}"),
        ("bom", "a byte order mark", b"\xef\xbb\xbf" + good_text.encode()),
        ("utf-16", "UTF-16", good_text.encode("utf-16")),
        ("latin-1", "no UTF-8", b'{"alg":"RS256","kid":"rsa-a","x":"\xe9"}'),
        ("overlong", "an overlong encoding", b'{"alg":"RS256","kid":"rsa-a","x":"\xc0\xaf"}'),
        ("control", "a control character in a string", '{"alg":"RS256","kid":"rsa-a","x":"\t"}'),
        ("surrogate", "a lone surrogate", r'{"alg":"RS256","kid":"rsa-a","x":"\ud800"}'),
        ("surrogate-nested", "one further in", r'{"alg":"RS256","kid":"rsa-a","x":["\udc00"]}'),
        ("deep", "40 levels", f'{{"alg":"RS256","kid":"rsa-a","x":{deep}}}'),
        ("17-levels", "a level more than there may be", levels(17)),
        ("17-objects", "a level of objects more than there may be", objects(17)),
        ("257-members", "a member more than there may be", header(**numbered(254))),
        ("1025-digits", "a number longer than one may be", with_literal(header(), "x", "9" * 1025)),
        ("deepest", "as many levels as fit", levels(5000)),
        ("utf-16-be", "UTF-16, the other way", good_text.encode("utf-16-be")),
        ("utf-32", "UTF-32", good_text.encode("utf-32-le")),
        ("utf-7", "UTF-7", "+AHs-" + good_text[1:]),
        ("cesu", "a surrogate in UTF-8", b'{"alg":"RS256","kid":"rsa-a","x":"\xed\xa0\x80"}'),
        ("nul-in-name", "a zero byte in a name", b'{"alg\0":1,"alg":"RS256","kid":"rsa-a"}'),
        ("nul-behind", "a zero byte behind", f"{good_text}\0"),
        ("bad-escape", "an escape that is none", r'{"alg":"RS256","kid":"rsa\x2da"}'),
        ("cut-escape", "an escape that is too short", r'{"alg":"RS256","kid":"rsa-\u61"}'),
        ("no-names", "values without names", '{"RS256","rsa-a"}'),
        ("unquoted-names", "names without quotes", "{alg:'RS256',kid:'rsa-a'}"),
        ("number-name", "a number for a name", '{1:2,"alg":"RS256","kid":"rsa-a"}'),
        ("no-comma", "no comma", '{"alg":"RS256" "kid":"rsa-a"}'),
        ("two-commas", "two commas", '{"alg":"RS256",,"kid":"rsa-a"}'),
        ("semicolon", "a semicolon", '{"alg":"RS256";"kid":"rsa-a"}'),
        ("white-space-only", "white space", " "),
        ("empty-object", "no members", "{}"),
        ("form-feed", "white space that is none in JSON", "{\f" + good_text[1:]),
        ("no-break-space", "a no-break space", "{\xa0" + good_text[1:]),
        ("xml", "XML", "<alg>RS256</alg>"),
        ("yaml", "YAML", "alg: RS256\nkid: rsa-a\n"),
    ]
    twice = [
        ("alg", "none before RS256", '{"alg":"none","alg":"RS256","kid":"rsa-a"}'),
        ("alg-after", "none after RS256", '{"alg":"RS256","alg":"none","kid":"rsa-a"}'),
        ("kid", "two key ids", '{"alg":"RS256","kid":"rsa-b","kid":"rsa-a"}'),
        ("escaped", "spelt with an escape", r'{"alg":"RS256","\u0061lg":"RS256","kid":"rsa-a"}'),
        ("unknown", "of no importance", '{"alg":"RS256","kid":"rsa-a","x":1,"x":1}'),
        ("typ", "two types", '{"typ":"JWT","alg":"RS256","kid":"rsa-a","typ":"JWT"}'),
        ("typ-other", "another type", '{"typ":"at+jwt","alg":"RS256","kid":"rsa-a","typ":"JWT"}'),
        ("kid-escaped", "an escaped key id", r'{"alg":"RS256","k\u0069d":"rsa-b","kid":"rsa-a"}'),
        ("jwk", "two keys", '{"alg":"RS256","kid":"rsa-a","jwk":1,"jwk":2}'),
        ("empty-name", "of no name", '{"alg":"RS256","kid":"rsa-a","":1,"":2}'),
        ("thrice", "three times", '{"alg":"HS256","alg":"none","alg":"RS256","kid":"rsa-a"}'),
    ]
    rows = [
        case(f"header-{name}", f"the header: {about}", sign(head), "token_header", "RFC 8259")
        for name, about, head in texts
    ]
    rows += [
        case(f"header-twice-{name}", f"a member twice: {about}", sign(head), "token_header", UNIQUE)
        for name, about, head in twice
    ]
    return rows
