from PySide6.QtCore import QSize

from explorer.gui.results_grid_cache import DescriptionCache, PendingRequests, ThumbnailCache, fitted


def test_fitted_keeps_the_aspect_inside_the_box():
    assert fitted(QSize(256, 192), QSize(200, 200)) == QSize(200, 150)
    assert fitted(QSize(192, 256), QSize(200, 200)) == QSize(150, 200)
    assert fitted(QSize(20, 10), QSize(200, 200)) == QSize(40, 20)
    assert fitted(QSize(9000, 3), QSize(200, 160)) == QSize(200, 1)


def test_memory_is_bounded_and_the_least_recently_drawn_goes_first(qapp, jpeg):
    cache = ThumbnailCache()
    cache.drawn_budget = 10 * 100 * 75 * 4
    box = QSize(100, 100)
    for item_id in range(30):
        cache.add(item_id, jpeg(256, 192))
        cache.decode(item_id, box, 1.0)
        assert cache.drawn(0) is not None  # kept in use
    assert cache.drawn(1) is None
    assert cache.drawn(29) is not None
    assert cache.n_bytes <= cache.drawn_budget + 30 * len(jpeg(256, 192))
    assert cache.needs_decoding(1, box)
    assert not cache.needs_decoding(29, box)


def test_encoded_thumbnails_are_bounded_too(qapp):
    cache = ThumbnailCache()
    for item_id in range(50):
        cache.add(item_id, bytes(1_000_000))
    assert cache.n_bytes <= 6_000_000
    assert 49 in cache
    assert 0 not in cache


def test_another_cell_size_wants_another_decoding_and_keeps_the_old_one_meanwhile(qapp, jpeg):
    cache = ThumbnailCache()
    cache.add(1, jpeg(256, 192))
    cache.decode(1, QSize(100, 100), 1.0)
    assert cache.needs_decoding(1, QSize(120, 120))
    assert cache.drawn(1).pixmap.width() == 100
    cache.decode(1, QSize(120, 120), 1.0)
    assert cache.drawn(1).pixmap.width() == 120
    assert cache.n_bytes == 120 * 90 * 4 + len(jpeg(256, 192))


def test_a_dense_screen_gets_more_pixels_in_the_same_room(qapp, jpeg):
    cache = ThumbnailCache()
    cache.add(1, jpeg(256, 192))
    cache.decode(1, QSize(200, 200), 2.0)
    drawn = cache.drawn(1)
    assert drawn.pixmap.size() == QSize(200, 150)
    assert drawn.pixmap.deviceIndependentSize().toSize() == QSize(100, 75)


def test_what_cannot_be_decoded_is_not_tried_again(qapp):
    cache = ThumbnailCache()
    cache.add(1, b"nonsense")
    cache.decode(1, QSize(100, 100), 1.0)
    assert not cache.needs_decoding(1, QSize(100, 100))


def test_a_changed_thumbnail_replaces_the_decoded_one(qapp, jpeg):
    cache = ThumbnailCache()
    cache.add(1, jpeg(256, 192))
    cache.decode(1, QSize(100, 100), 1.0)
    cache.add(1, jpeg(192, 256))
    assert cache.drawn(1) is None
    assert cache.needs_decoding(1, QSize(100, 100))


def test_requests_wait_for_their_answer_but_not_for_ever():
    pending = PendingRequests(patience_s=5.0)
    assert pending.take([1, 2], 0.0) == [1, 2]
    assert pending.take([1, 2, 3], 1.0) == [3]
    pending.came(1)
    assert pending.take([1, 2], 2.0) == [1]
    assert pending.take([1, 2], 5.5) == [2]
    pending.clear()
    assert pending.take([1, 2], 5.6) == [1, 2]


def test_what_was_asked_long_ago_is_forgotten():
    pending = PendingRequests()
    for n in range(100):
        pending.take(range(n * 1000, n * 1000 + 1000), float(n * 10))
    assert len(pending._asked) <= 4000


def test_descriptions_are_bounded(description):
    cache = DescriptionCache(n_max=3)
    for item_id in (1, 2, 3):
        cache.add(description(item_id))
    assert cache.get(1) is not None
    cache.add(description(4))
    assert 1 in cache
    assert 2 not in cache
