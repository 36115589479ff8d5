# What turnfold uses of xllamacpp, which has no types of its own (2026.10.11549).

from collections.abc import Callable

class ModelParams:
    path: str

class CpuParams:
    n_threads: int

class CommonParams:
    model: ModelParams
    cpuparams: CpuParams
    cpuparams_batch: CpuParams
    n_ctx: int
    n_parallel: int
    n_batch: int
    n_ubatch: int
    port: int
    verbosity: int
    warmup: bool
    fit_params: bool
    cache_ram_mib: int
    api_keys: list[str]
    cors_origins: str
    slot_save_path: str

class Server:
    listening_address: str

    def __init__(self, params: CommonParams) -> None: ...
    def handle_chat_completions(self, body: bytes | str, callback: Callable[[bytes], bool]) -> object: ...
