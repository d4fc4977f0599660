"""Speech: what a network hears in a spectrogram, filters along frequency, an LSTM for time."""
