import base64
import random
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from errors import ImageTooLarge, SerializeError, UnsupportedImage
from hypothesis import given, settings
from hypothesis import strategies as st
from image import MAX_IMAGE_BYTES, MAX_SCANS, MAX_SIDE, fit, jpeg_end_and_scans
from PIL import Image
from sample_images import file, noise, padded, photograph, read

ORIENTATION = 0x0112
# 96 x 64 pixels, red above blue, turned as a phone does.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAaFtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAADRpbG9j"
    "AAAAAERAAAIAAQAAAAABxQABAAAAAAAAAL8AAgAAAAAChAABAAAAAAAAACQAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAAAAABAABodmMxAAAA"
    "ABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA4GlwcnAAAADAaXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNg"
    "AAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoCCBhZbqSSmubgIaDAgAAAMAyAAAAwAIQGIAAQAH"
    "RAHBcrAiQAAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAYAAAABBwaXhpAAAAAAMICAgAAAAJaXJvdAMAAAAYaXBtYQAA"
    "AAAAAAABAAEFgQIDBIUAAAAaaXJlZgAAAAAAAAAOY2RzYwACAAEAAQAAAOttZGF0AAAAuygBrwngITl1X//8gj///GI3IfsWcWf//UZbHf31"
    "l//7mvI9V/X/8fpi0jcCOA1IOuuG1+D1f8qfFHp4oDKAV+PXzG0NVJhhIW+CPQ1HNix3wM2V4g/KXjq54ioymRjl5tShu0OR+SnuJwy3Capm"
    "NoKv4Mf72KbHIVv4aUTz6oR2yNIoRzYitYDctDtBILBRkN/XGBAWDbrQQHNJBPAEH/5VLU63hpb2Cc5Cni1JG6NY3MRoAzia+TZa+cAAAAAG"
    "RXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAA="
)


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that announces a size and ends where its pixels would begin."""
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + ihdr + struct.pack(">II", zlib.crc32(ihdr), 99) + b"IDAT"


def palette_with_transparency(width: int, height: int) -> bytes:
    return file(noise(width, height).quantize(64), "PNG", transparency=5)


LARGE: dict[str, tuple[Callable[[], bytes], str]] = {
    "PNG of 1 bit": (lambda: file(noise(1600, 1600, "L").convert("1"), "PNG"), "L"),
    "PNG greyscale": (lambda: file(noise(600, 500, "L"), "PNG"), "L"),
    "PNG greyscale, transparent": (lambda: file(noise(400, 400, "LA"), "PNG"), "RGBA"),
    "PNG of 16 bits": (lambda: file(noise(400, 400, "I;16"), "PNG"), "L"),
    "PNG palette": (lambda: file(noise(600, 500).quantize(64), "PNG"), "RGB"),
    "PNG palette, transparent": (lambda: palette_with_transparency(600, 500), "RGBA"),
    "PNG colour": (lambda: file(noise(400, 300), "PNG"), "RGB"),
    "PNG colour, one of them transparent": (lambda: file(noise(400, 300), "PNG", transparency=(1, 2, 3)), "RGBA"),
    "PNG colour, transparent": (lambda: file(noise(400, 300, "RGBA"), "PNG"), "RGBA"),
    "JPEG greyscale": (lambda: file(noise(700, 600, "L"), "JPEG", quality=95), "L"),
    "JPEG colour": (lambda: file(noise(700, 600), "JPEG", quality=95), "RGB"),
    "JPEG progressive": (lambda: file(noise(700, 600), "JPEG", quality=95, progressive=True), "RGB"),
    "JPEG CMYK": (lambda: file(noise(700, 600, "CMYK"), "JPEG", quality=95), "RGB"),
    "GIF": (lambda: file(noise(600, 500).quantize(64), "GIF"), "RGB"),
    "WebP": (lambda: file(noise(500, 400), "WEBP", lossless=True), "RGB"),
    "WebP, transparent": (lambda: file(noise(500, 400, "RGBA"), "WEBP", lossless=True), "RGBA"),
}


@pytest.mark.parametrize(("kind", "content_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_what_fits_passes_byte_for_byte(kind: str, content_type: str) -> None:
    data = file(noise(32, 32), kind)
    assert fit(data) == (data, content_type)


def test_180_kib_exactly_pass_unchanged_and_one_byte_more_does_not() -> None:
    data = file(noise(32, 32), "PNG")
    full = data + bytes(MAX_IMAGE_BYTES - len(data))
    assert fit(full) == (full, "image/png")
    smaller, content_type = fit(full + b"\0")
    assert content_type == "image/png"
    assert len(smaller) < 4096
    assert read(smaller).tobytes() == read(data).tobytes()


@pytest.mark.parametrize("name", LARGE)
def test_what_is_too_large_comes_out_smaller_in_shape_and_kind(name: str) -> None:
    make, mode = LARGE[name]
    data = make()
    before = read(data)
    assert len(data) > MAX_IMAGE_BYTES or before.format in {"GIF", "WEBP"}

    smaller, content_type = fit(data)

    after = read(smaller)
    assert content_type == ("image/jpeg" if before.format == "JPEG" else "image/png")
    assert content_type == f"image/{str(after.format).lower()}"
    assert 0.3 * MAX_IMAGE_BYTES < len(smaller) <= MAX_IMAGE_BYTES
    assert after.mode == mode
    assert max(after.size) <= MAX_SIDE
    assert after.width / after.height == pytest.approx(before.width / before.height, rel=0.02)


@pytest.mark.parametrize("mode", ["P", "CMYK", "I;16", "LA"])
def test_unusual_modes_that_fit_pass_unchanged(mode: str) -> None:
    source = noise(20, 10).quantize(16) if mode == "P" else noise(20, 10, mode)
    data = file(source, "JPEG" if mode == "CMYK" else "PNG")
    assert fit(data)[0] == data


def test_the_image_survives_being_scaled_down() -> None:
    source = Image.new("RGB", (3000, 2000), "red")
    source.paste("blue", (1500, 0, 3000, 2000))
    for kind in ("JPEG", "PNG"):
        data = padded(file(source, kind))
        after = read(fit(data)[0]).convert("RGB")
        assert after.size == (1024, 683)
        assert after.getpixel((100, 300)) == pytest.approx((255, 0, 0), abs=3)
        assert after.getpixel((900, 300)) == pytest.approx((0, 0, 255), abs=3)


def test_sixteen_bits_keep_their_brightness() -> None:
    grey = Image.frombytes("I;16", (100, 100), struct.pack("<H", 0x8000) * 10_000)
    after = read(fit(padded(file(grey, "PNG")))[0])
    assert after.getpixel((50, 50)) == 128


@pytest.mark.parametrize(("kind", "tolerance"), [("JPEG", 6), ("PNG", 0), ("WEBP", 6)])
def test_a_new_file_is_upright_as_its_exif_says(kind: str, tolerance: int) -> None:
    source = Image.new("L" if kind != "WEBP" else "RGB", (64, 32), 0)
    source.paste("white", (0, 0, 32, 32))
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # to be turned a quarter clockwise
    after = read(fit(padded(file(source, kind, exif=exif)))[0]).convert("L")
    assert after.size == (32, 64)
    assert after.getpixel((16, 8)) == pytest.approx(255, abs=tolerance)
    assert after.getpixel((16, 56)) == pytest.approx(0, abs=tolerance)
    assert ORIENTATION not in after.getexif()


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    data = file(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    image, content_type = fit(data)
    assert content_type == "image/png"
    assert read(image).convert("RGB").getpixel((5, 5)) == (255, 0, 0)


def test_a_small_gif_keeps_its_size_as_a_png() -> None:
    assert read(fit(file(noise(40, 30).quantize(8), "GIF"))[0]).size == (40, 30)


def test_a_colour_profile_larger_than_the_limit_is_left_behind() -> None:
    for kind in ("PNG", "JPEG"):
        data = file(noise(64, 64), kind, icc_profile=random.Random(0).randbytes(2 * MAX_IMAGE_BYTES))
        assert len(fit(data)[0]) < 20_000


def test_a_strip_keeps_at_least_one_pixel_of_height() -> None:
    data = padded(file(Image.new("L", (60_000, 3), 200), "JPEG"))
    assert read(fit(data)[0]).size == (1024, 1)


@pytest.mark.interpreter
def test_a_photograph_of_twelve_megapixels_takes_little_memory(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(file(photograph(4000, 3000), "JPEG", quality=92))
    code = (
        "import sys, image; from pathlib import Path; data, kind = image.fit(Path(sys.argv[1]).read_bytes()); "
        "peak = next(line for line in Path('/proc/self/status').read_text().splitlines() if 'VmHWM' in line); "
        "print(kind, len(data), peak.split()[1])"
    )
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux tells the peak of a process in /proc")
    service = Path(__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code, photo], cwd=service, capture_output=True, text=True, check=True)
    kind, size, peak_kib = run.stdout.split()
    assert kind == "image/jpeg"
    assert int(size) <= MAX_IMAGE_BYTES
    assert int(peak_kib) < 70 * 1024


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"not an image at all", "not a JPEG, PNG, GIF, WebP, HEIC or AVIF"),
        (b"\x89PNG\r\n\x1a\n", "damaged or truncated"),
        (b"\xff\xd8\xff", "damaged or truncated"),
        (b"GIF89a", "damaged or truncated"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "damaged or truncated"),
        (file(noise(16, 16), "PNG")[:-40], "a damaged or truncated PNG"),
        (file(noise(64, 64), "JPEG")[:-200], "a damaged or truncated JPEG"),
        (file(noise(64, 64), "WEBP")[:-200], "damaged or truncated"),
        (file(noise(64, 64).quantize(64), "GIF")[:900], "damaged or truncated"),
        (file(noise(16, 16), "BMP"), "not a JPEG"),
        (file(noise(16, 16), "TIFF"), "not a JPEG"),
        (b"\0\0\0\x1cftypheic", "a damaged or truncated HEIC"),
        (b"\0\0\0\x1cftypavif", "a damaged or truncated AVIF"),
        (b"\0\0\0\x1cftypmp42", "not a JPEG"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "not a JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a JPEG"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_whole_image_is_unsupported(data: bytes, reason: str) -> None:
    with pytest.raises(UnsupportedImage, match=reason):
        fit(data)


@pytest.mark.parametrize("size", [(30_000, 30_000), (2**31 - 1, 1), (6001, 6000)])
def test_huge_dimensions_are_refused_before_decoding(size: tuple[int, int]) -> None:
    with pytest.raises(ImageTooLarge, match=f"{size[0]} x {size[1]} pixels, the limit is 36000000"):
        fit(png_header(*size))


def test_a_decompression_bomb_is_refused() -> None:
    bomb = file(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < MAX_IMAGE_BYTES
    with pytest.raises(ImageTooLarge, match="the PNG has 20000 x 20000 pixels"):
        fit(bomb)


def test_a_large_sensor_is_accepted_in_one_scan_and_refused_in_many() -> None:
    sensor = Image.new("L", (9000, 6000), 128)
    assert read(fit(padded(file(sensor, "JPEG")))[0]).size == (1024, 683)
    with pytest.raises(ImageTooLarge, match="9000 x 6000 pixels, the limit is 40000000"):
        fit(file(sensor, "JPEG", progressive=True))


def test_a_jpeg_with_endless_scans_is_refused() -> None:
    data = file(noise(16, 16), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    bomb = data[:last] + data[last:-2] * MAX_SCANS + data[-2:]
    with pytest.raises(ImageTooLarge, match="scans, the limit is 100"):
        fit(bomb)


def test_an_embedded_thumbnail_is_not_counted_as_a_scan() -> None:
    sensor = Image.new("L", (9000, 6000), 128)
    thumbnail = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + file(noise(8, 8), "JPEG")
    data = file(sensor, "JPEG", exif=thumbnail)
    assert data.count(b"\xff\xda") == 2
    assert fit(padded(data))[1] == "image/jpeg"


@pytest.mark.parametrize("times", [60, 90])
def test_many_passes_over_a_large_image_are_refused_before_decoding(times: int) -> None:
    data = file(Image.new("L", (5000, 5000), 128), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    begun = time.process_time()
    with pytest.raises(ImageTooLarge, match="5000 x 5000 pixels in"):
        fit(data[:last] + data[last:-2] * times + data[-2:])
    assert time.process_time() - begun < 10


@pytest.mark.parametrize("trailer", [b"\0\0\0\x18ftypmp42" + b"\xff\xda" * 500, b"\xff\xda" * 100, b"\xff\xd8\xff\xe0"])
def test_what_a_phone_appends_to_a_jpeg_is_not_the_image(trailer: bytes) -> None:
    photo = file(photograph(640, 480), "JPEG")
    assert fit(photo + trailer) == (photo + trailer, "image/jpeg"), "small enough as it is"
    assert fit(photo + trailer * (MAX_IMAGE_BYTES // len(trailer))) == (photo, "image/jpeg")


def test_a_gain_map_does_not_count_as_the_scans_of_a_large_photo() -> None:
    photo = file(Image.new("L", (6400, 6400), 128), "JPEG")
    gain_map = file(noise(40, 40), "JPEG", progressive=True)
    assert fit(photo + gain_map * 11)[1] == "image/jpeg"


def test_a_jpeg_that_was_sent_as_text_is_refused() -> None:
    photo = file(photograph(640, 480), "JPEG")
    assert b"\n" in photo
    table = photo.index(b"\xff\xdb")
    for changed in (photo.replace(b"\n", b"\r\n"), photo[:table] + b"\0" + photo[table:], photo.replace(b"\r", b"")):
        with pytest.raises(UnsupportedImage, match="a damaged or truncated JPEG"):
            fit(changed)


def test_bytes_before_and_between_the_segments_of_a_jpeg_are_no_image() -> None:
    photo = file(noise(16, 16), "JPEG")
    for at in (2, photo.index(b"\xff\xdb")):
        with pytest.raises(ValueError, match=r"^bytes between two segments, as in a file that"):
            jpeg_end_and_scans(photo[:at] + b"\0" + photo[at:])


def test_an_image_in_another_files_wrapping_is_no_image() -> None:
    photo = file(photograph(64, 48), "JPEG")
    for wrapped in (b"\xef\xbb\xbf" + photo, base64.b64encode(photo), photo.decode("latin-1").encode()):
        with pytest.raises(UnsupportedImage, match="not a JPEG, PNG, GIF, WebP, HEIC or AVIF"):
            fit(wrapped)


@pytest.mark.parametrize(("mode", "content_type"), [("RGB", "image/jpeg"), ("RGBA", "image/png")])
def test_an_avif_image_becomes_a_jpeg_or_where_it_is_transparent_a_png(mode: str, content_type: str) -> None:
    image, actual = fit(file(noise(120, 80, mode), "AVIF", quality=60))
    assert actual == content_type
    assert read(image).size == (120, 80)


def test_an_avif_image_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    assert read(fit(file(noise(64, 32), "AVIF", exif=exif.tobytes()))[0]).size == (32, 64)


def test_a_heic_image_becomes_an_upright_jpeg() -> None:
    image, content_type = fit(HEIC)
    after = read(image)
    assert (content_type, after.size) == ("image/jpeg", (96, 64))
    assert after.getpixel((80, 10)) == pytest.approx((200, 40, 30), abs=25), "red above"
    assert after.getpixel((80, 60)) == pytest.approx((20, 50, 180), abs=25), "blue below"


def test_a_build_without_its_decoder_refuses_heic_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(UnsupportedImage, match=r"^the object is HEIC, whose decoder is not installed: upload a JPEG"):
        fit(HEIC)


@pytest.mark.interpreter
def test_the_decoders_of_rare_formats_are_loaded_for_them_alone() -> None:
    code = (
        f"import sys; from image import fit; fit({file(noise(8, 8), 'PNG')!r}); fit({file(noise(8, 8), 'JPEG')!r}); "
        "print([name for name in ('pi_heif', 'PIL.AvifImagePlugin', 'PIL._avif') if name in sys.modules])"
    )
    service = Path(__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code], cwd=service, capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


WHOLE = [
    HEIC,
    file(noise(24, 16), "AVIF"),
    file(noise(24, 16), "PNG"),
    file(noise(24, 16).quantize(16), "PNG", transparency=3),
    file(noise(24, 16, "I;16"), "PNG"),
    file(noise(48, 32), "JPEG"),
    file(noise(48, 32), "JPEG", progressive=True),
    file(noise(48, 32, "CMYK"), "JPEG"),
    file(noise(24, 16).quantize(16), "GIF"),
    file(noise(24, 16), "WEBP"),
]


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(WHOLE),
    st.lists(st.tuples(st.floats(0, 0.9999), st.integers(0, 255)), max_size=8),
    st.floats(0, 1),
    st.booleans(),
)
def test_damaged_bytes_give_an_image_or_a_refusal(
    whole: bytes, changes: list[tuple[float, int]], keep: float, padding: bool
) -> None:
    data = bytearray(whole[: max(1, round(keep * len(whole)))] if keep < 0.5 else whole)
    for where, value in changes:
        data[int(where * len(data))] = value
    try:
        image, content_type = fit(padded(bytes(data)) if padding else bytes(data))
    except SerializeError:
        return
    assert len(image) <= MAX_IMAGE_BYTES
    assert content_type in {"image/jpeg", "image/png"}


@given(
    st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF0000WEBP"])
)
def test_any_bytes_give_an_image_or_a_refusal(body: bytes, start: bytes) -> None:
    with pytest.raises(SerializeError):
        fit(start + body)


@pytest.mark.parametrize(
    ("kind", "size"),
    [("PNG", (6001, 6000)), ("GIF", (6001, 6000)), ("WEBP", (4001, 4000)), ("AVIF", (5001, 5000))],
)
def test_each_decoder_refuses_an_image_of_more_pixels_than_its_limit(kind: str, size: tuple[int, int]) -> None:
    options = {"speed": 10} if kind == "AVIF" else {"method": 0, "quality": 1} if kind == "WEBP" else {}
    data = file(Image.new("RGB" if kind in {"WEBP", "AVIF"} else "L", size), kind, **options)
    assert len(data) < 1_000_000
    with pytest.raises(ImageTooLarge, match=f"the {kind} has {size[0]} x {size[1]} pixels"):
        fit(data)
