"""Videos in the window: how they are counted, all moments of them or the best, and searching with them."""

from explorer.settings import SearchSettings, Settings, write_settings


def test_every_moment_is_a_choice_where_there_are_videos(open_window, until):
    window, _ = open_window("--items", 20, "--videos", 4, "--shots", 3)
    assert window.pane.count_label.text() == "16 photos, 4 videos"
    assert "16 photos, 4 videos" in window.status.label.text()
    assert window.pane.moments.isHidden()  # nothing is ranked
    window.query.edit.setText("a dog")
    window.query.search_now()
    until(lambda: window.pane.count_label.text() == "20 results")
    assert not window.pane.moments.isHidden()
    assert not window.pane.moments.isChecked()
    window.pane.moments.click()
    until(lambda: window.pane.count_label.text() == "28 results")
    assert window.settings().search.every_moment
    window.pane.moments.click()
    until(lambda: window.pane.count_label.text() == "20 results")
    window.commands.show_everything()
    until(lambda: window.pane.count_label.text() == "16 photos, 4 videos")
    assert window.pane.moments.isHidden()


def test_every_moment_is_remembered(open_window, until, tmp_path):
    write_settings(tmp_path / "settings.toml", Settings(search=SearchSettings(every_moment=True)))
    window, _ = open_window("--items", 20, "--videos", 4, "--shots", 3)
    assert window.pane.moments.isChecked()
    window.query.edit.setText("a dog")
    window.query.search_now()
    until(lambda: window.pane.count_label.text() == "28 results")


def test_without_videos_there_are_no_moments(open_window, until):
    window, _ = open_window("--items", 20)
    window.query.edit.setText("a dog")
    window.query.search_now()
    until(lambda: window.pane.count_label.text() == "20 results")
    assert window.pane.moments.isHidden()
