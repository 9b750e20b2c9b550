"""Words for emotions: each stands for one."""

from collections import defaultdict

from xlser.corpora import words


def test_no_word_stands_for_two_emotions():
    meant = defaultdict(set)
    for emotions in (words._WORDS, words._FURTHER, words._FORMS):
        for emotion, line in emotions.items():
            for word in line.split():
                meant[words.plain(word)].add(emotion)
    assert not {word: emotions for word, emotions in meant.items() if len(emotions) > 1}


def test_every_adjective_has_an_ending_that_is_known():
    for emotion, line in words._ADJECTIVES.items():
        assert set(line.split()) <= set(words._FORMS[emotion].split())
