"""The machine that measures: what it is, which CPUs to use, whether anything else runs on it."""

import os
import platform


def cpuinfo(key):
    """Of the first processor; "" where the system does not say."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name.strip() == key:
                    return value.strip()
    except OSError:
        pass
    return ""


def read_text(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""


def has_bfloat16():
    return bool({"avx512_bf16", "amx_bf16"} & set(cpuinfo("flags").split()))


def usable_cpus():
    """Those of this process, one of each core first, so that the first N are N cores."""
    first, second, seen = [], [], set()
    for cpu in sorted(os.sched_getaffinity(0)):
        core = read_text(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        (second if core and core in seen else first).append(cpu)
        seen.add(core)
    return first + second


def cpu_name():
    name = cpuinfo("model name") or platform.machine()
    family, model = cpuinfo("cpu family"), cpuinfo("model")
    return f"{name} (family {family}, model {model})" if family else name


def system_name():
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def describe():
    flags = set(cpuinfo("flags").split())
    marks = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "hypervisor")
    base = "/sys/devices/system/cpu/cpu0/cache"
    caches = {}
    for index in range(8):
        level = read_text(f"{base}/index{index}/level")
        if level and read_text(f"{base}/index{index}/type") != "Instruction":
            caches[f"L{level}"] = read_text(f"{base}/index{index}/size")
    return {
        "cpu": cpu_name(),
        "cpus": len(os.sched_getaffinity(0)),
        "flags": [mark for mark in marks if mark in flags],
        "caches": caches,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "governor": read_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "kernel": platform.release(),
        "system": system_name(),
        "python": platform.python_version(),
    }


def load():
    """Processes that wanted a CPU during the last minute."""
    return os.getloadavg()[0]
