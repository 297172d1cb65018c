"""Event files as TensorBoard's own library writes them: tensorboard_train.bin, tensorboard_validation.bin.

    python tests/golden/tensorboard_events.py    # tensorboard 2.21

The history: epochs 1 to 200, loss 1 / epoch, accuracy 1 - loss / 2, val_loss 2 / epoch, val_accuracy 1 / epoch,
learning_rate 0.001; record k has the wall time 1700000000.25 + k.
"""
from pathlib import Path

from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

EPOCHS = 200


def write(name, values):
    with open(Path(__file__).with_name(name), "wb") as file:
        writer = RecordWriter(file)
        event = event_pb2.Event(wall_time=1700000000.25, file_version="brain.Event:2")
        writer.write(event.SerializeToString())
        for k in range(1, EPOCHS + 1):
            event = event_pb2.Event(wall_time=1700000000.25 + k, step=k - 1)
            for tag, value in values(k).items():
                event.summary.value.add(tag="epoch_" + tag, simple_value=value)
            writer.write(event.SerializeToString())
        writer.flush()


write("tensorboard_train.bin", lambda k: {"loss": 1 / k, "accuracy": 1 - 0.5 / k, "learning_rate": 0.001})
write("tensorboard_validation.bin", lambda k: {"loss": 2 / k, "accuracy": 1 / k})
