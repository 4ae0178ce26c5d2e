"""Beam's flags on this machine."""

LOCAL_BEAM = (
    # DirectRunner would first try to download another runner, and several threads lose records.
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    "--direct_running_mode=in_memory",
    "--direct_num_workers=1",
    # Otherwise TFX packs itself into an archive for remote workers, in every component.
    "--sdk_container_image=none",
)
