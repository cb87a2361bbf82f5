"""`app.py` on weights that cannot be had: one sentence, exit code 2."""

import app


def test_missing_weights_end_in_a_sentence(tmp_path, capsys):
    assert app.main(["--weights", str(tmp_path / "none")]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ") and "none" in message and message.count("\n") == 1
