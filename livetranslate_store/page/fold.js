// Folds texts for the search: no case, width or accents, and none of the points of Arabic and Hebrew that most
// people leave out. Other marks stay: in Devanagari, Thai or Japanese they make another letter.
const dropped = /[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0640\u064b-\u065f\u0670\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
const folded = new Map();

// A letter with all its marks, however it is encoded.
const letters = (text) => text.match(/\P{M}\p{M}*|\p{M}+/gu) ?? [];

function foldLetter(letter) {
  let result = folded.get(letter);
  if (result === undefined) {
    const bare = letter.normalize("NFKD").replace(dropped, "").normalize("NFC");
    result = bare.toLowerCase().replaceAll("ß", "ss").replace(/\s/g, " ");
    folded.set(letter, result);
  }
  return result;
}

const fold = (text) => letters(text).map(foldLetter).join("");

// The places of `needle` in `text`, as offsets of the text itself: whole letters, their marks included.
function placesOf(needle, text) {
  const starts = [];
  let whole = "";
  let offset = 0;
  for (const letter of letters(text)) {
    const part = foldLetter(letter);
    for (let each = 0; each < part.length; each += 1) starts.push(offset);
    whole += part;
    offset += letter.length;
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
