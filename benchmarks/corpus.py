"""The texts of the bench's meetings: one word to several sentences, in five languages."""

import random
from collections.abc import Iterable

from benchmarks.floor import Connection

# Enough that neighbours differ, few enough to send to the server at once.
TEXTS = 512

_PHRASES = {
    "en": (
        "Right.",
        "Good morning, everyone, and thank you for coming at such short notice.",
        "The second point is the budget, which we have to settle before the end of the month.",
        "Could you say that again? The line was bad, and I think I missed the most important part of it.",
        "No, not yet.",
        "We measured it twice, and both times the new pump used a third less than the old one.",
        "If nobody objects, I would like to move this to Thursday.",
    ),
    "es": (
        "Claro.",
        "Buenos días a todos, y gracias por venir con tan poca antelación.",
        "El segundo punto es el presupuesto, que debemos cerrar antes de fin de mes.",
        "¿Podría repetirlo? La línea se oía mal y creo que me perdí lo más importante.",
        "No, todavía no.",
        "Lo medimos dos veces, y las dos veces la bomba nueva gastó un tercio menos que la vieja.",
        "Si nadie se opone, me gustaría pasarlo al jueves.",
    ),
    "ja": (
        "はい。",
        "皆さん、おはようございます。急なお願いにもかかわらず、お集まりいただきありがとうございます。",
        "二つ目は予算の件です。月末までに決めなければなりません。",
        "もう一度お願いできますか。回線が悪くて、一番大事なところを聞き逃したようです。",
        "いいえ、まだです。",
        "二回測りましたが、二回とも新しいポンプの方が三分の一ほど少なく済みました。",
        "異議がなければ、木曜日に移したいと思います。",
    ),
    "de": (
        "Genau.",
        "Guten Morgen zusammen, und danke, dass Sie so kurzfristig kommen konnten.",
        "Der zweite Punkt ist das Budget, das wir vor Ende des Monats festlegen müssen.",
        "Können Sie das wiederholen? Die Leitung war schlecht, und mir ist wohl das Wichtigste entgangen.",
        "Nein, noch nicht.",
        "Zweimal gemessen, und beide Male brauchte die neue Pumpe ein Drittel weniger als die alte.",
        "Wenn niemand etwas dagegen hat, würde ich das gern auf Donnerstag verschieben.",
    ),
    "fr": (
        "D'accord.",
        "Bonjour à tous, et merci d'être venus aussi vite.",
        "Le deuxième point est le budget, que nous devons arrêter avant la fin du mois.",
        "Pouvez-vous répéter ? La ligne était mauvaise, et je crois avoir manqué l'essentiel.",
        "Non, pas encore.",
        "Nous l'avons mesuré deux fois, et la nouvelle pompe a consommé un tiers de moins à chaque fois.",
        "Si personne ne s'y oppose, j'aimerais reporter cela à jeudi.",
    ),
}


def texts_in(language: str) -> list[str]:
    """Return the texts of a language; texts with the same number mean the same in all languages."""
    phrases = _PHRASES[language]
    chance = random.Random(1)  # noqa: S311 (the same texts in every run)
    return [" ".join(chance.choices(phrases, k=chance.choice((1, 1, 2, 3)))) for _ in range(TEXTS)]


async def copy_texts(connection: Connection, languages: Iterable[str]) -> None:
    """Make a temporary table with all texts in these languages."""
    await connection.execute("CREATE TEMPORARY TABLE texts (language text, line int, text text)")
    texts = [(language, line, text) for language in languages for line, text in enumerate(texts_in(language))]
    await connection.copy_records_to_table("texts", records=texts)
