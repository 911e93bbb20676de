// Texts as the search compares them: without case, width, accents, and the points of Arabic and Hebrew, which
// most people leave out. Other marks stay: in Devanagari, Thai or Japanese they make another letter.
const dropped = /[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0640\u064b-\u065f\u0670\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
const folded = new Map();

function foldCharacter(character) {
  let result = folded.get(character);
  if (result === undefined) {
    result = character.normalize("NFKD").replace(dropped, "").toLowerCase().replaceAll("ß", "ss").replace(/\s/g, " ");
    folded.set(character, result);
  }
  return result;
}

function fold(text) {
  let result = "";
  for (const character of text) result += foldCharacter(character);
  return result;
}

// The places of `needle` in `text`, as offsets of the text itself: whole characters, their accents included.
function placesOf(needle, text) {
  const starts = [];
  let whole = "";
  let offset = 0;
  for (const character of text) {
    const part = foldCharacter(character);
    for (let each = 0; each < part.length; each += 1) starts.push(offset);
    whole += part;
    offset += character.length;
  }
  starts.push(text.length);
  const places = [];
  for (let at = whole.indexOf(needle); at >= 0; at = whole.indexOf(needle, at + needle.length)) {
    let end = at + needle.length;
    while (end < whole.length && starts[end] === starts[end - 1]) end += 1;
    places.push([starts[at], starts[end]]);
  }
  return places;
}
