"""Choosing a row of a large table by typing a part of its name."""

from playwright.sync_api import Locator, Page, expect


def choose(page: Page, box: Locator, text: str) -> None:
    """Open the box, type the text, and take what is found for it."""
    box.click()
    # What is offered before anything is typed makes way for what is found, perhaps under the pointer.
    with page.expect_response(lambda answer: f"term={text}" in answer.url):
        page.locator(".select2-container--open .select2-search__field").last.fill(text)
    expect(page.locator(".select2-results__option.loading-results")).to_have_count(0)
    page.locator(".select2-results__option", has_text=text).click()
