"""A page of HTML as tests ask about it."""

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "hr", "input", "path", "use"}


class Page(HTMLParser):
    """Reads a page, checks that tags close in order, and keeps what the tests ask about."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def values(self, name):
        return [attrs[name] for _, attrs in self.tags if name in attrs]
