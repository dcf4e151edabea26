/* A stand-in for the NVIDIA driver's NVML, for tests: nvidia-ml-py loads it in place of the driver's library.

   What it answers stands in the file named by the environment variable NVML_STAND_IN, read anew for every question, so
   that a test can change the machine while it is looked at. A line is "key value"; keys of a GPU begin with its number,
   as in "gpu0.power 650000", and "gpu*.power" is for all that have none of their own. A value "!15" is the error 15 of
   nvmlReturn_t, and "~500" an answer, 0, that takes so many milliseconds; a line "gpu0 !15" is for all questions about
   the GPU. What has no line is not supported.
   Names, units and layouts are those of NVML's API reference: https://docs.nvidia.com/deploy/nvml-api */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7,
       DRIVER_NOT_LOADED = 9 };
enum { MOST_GPUS = 64, MOST_PARTS = 7, LINE = 512 };

typedef int Return;
typedef struct { int number, part; } Gpu; /* of MIG, from 1; 0 is the whole GPU */
typedef Gpu *Device;
typedef unsigned long long Large;

typedef struct { unsigned gpu, memory; } Utilization;
typedef struct { Large total, free, used; } Memory;
typedef struct { unsigned version; Large total, reserved, free, used; } Memory2;
typedef struct { unsigned pid; Large memory; unsigned gpu_instance, compute_instance; } Process;
typedef struct {
    char legacy[16];
    unsigned domain, bus, device, id, subsystem;
    char bus_id[32];
} Pci;

static Gpu gpus[MOST_GPUS];
static Gpu parts[MOST_GPUS][MOST_PARTS];
static int initialised;

/* The value of `key`: SUCCESS and the text, or the error that stands there, or NOT_SUPPORTED. */
static Return line_of(const char *key, char *value) {
    const char *path = getenv("NVML_STAND_IN");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[LINE];
    Return found = NOT_SUPPORTED;
    size_t length = strlen(key);
    if (!file) return DRIVER_NOT_LOADED;
    while (found == NOT_SUPPORTED && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, key, length) || line[length] != ' ') continue;
        strcpy(value, line + length + 1);
        found = value[0] == '!' ? atoi(value + 1) : SUCCESS;
        if (value[0] == '~') usleep(1000 * atoi(value + 1));
    }
    fclose(file);
    return found;
}

static Return text_of(Device device, const char *name, char *value) {
    char key[LINE];
    Return found;
    if (!initialised) return UNINITIALIZED;
    if (!device) return line_of(name, value);
    if (device >= parts[0] && device < parts[MOST_GPUS]) {
        snprintf(key, sizeof key, "gpu%d.part%d.%s", device->number, device->part, name);
        return line_of(key, value);
    }
    if (device < gpus || device >= gpus + MOST_GPUS) return INVALID_ARGUMENT;
    snprintf(key, sizeof key, "gpu%d", device->number);
    if ((found = line_of(key, value)) != NOT_SUPPORTED) return found;
    snprintf(key, sizeof key, "gpu%d.%s", device->number, name);
    if ((found = line_of(key, value)) != NOT_SUPPORTED) return found;
    snprintf(key, sizeof key, "gpu*.%s", name);
    return line_of(key, value);
}

static Return large_of(Device device, const char *name, Large *value) {
    char text[LINE];
    Return found = text_of(device, name, text);
    if (!found) *value = strtoull(text, NULL, 0);
    return found;
}

static Return unsigned_of(Device device, const char *name, unsigned *value) {
    Large large = 0;
    Return found = large_of(device, name, &large);
    if (!found) *value = (unsigned)large;
    return found;
}

static Return chars_of(Device device, const char *name, char *out, unsigned size) {
    char text[LINE];
    Return found = text_of(device, name, text);
    if (found) return found;
    if (strlen(text) >= size) return INSUFFICIENT_SIZE;
    strcpy(out, text);
    return SUCCESS;
}

/* The value of a key whose last part is a number, as in "gpu0.nvlink.2". */
static Return numbered(Device device, const char *name, unsigned number, unsigned *value) {
    char key[LINE];
    snprintf(key, sizeof key, "%s.%u", name, number);
    return unsigned_of(device, key, value);
}

static const char *one_of(const char *const *names, unsigned count, unsigned chosen) {
    return chosen < count ? names[chosen] : "none";
}

Return nvmlInitWithFlags(unsigned flags) {
    char text[LINE];
    Return found = line_of("init", text);
    (void)flags;
    if (found == NOT_SUPPORTED) found = SUCCESS; /* no line: nothing is wrong with it */
    if (found) return found;
    for (int number = 0; number < MOST_GPUS; number++) gpus[number].number = number;
    initialised++;
    return SUCCESS;
}

Return nvmlInit_v2(void) { return nvmlInitWithFlags(0); }

Return nvmlShutdown(void) {
    if (!initialised) return UNINITIALIZED;
    initialised--;
    return SUCCESS;
}

const char *nvmlErrorString(Return error) {
    static char text[32];
    snprintf(text, sizeof text, "NVML error %d", error);
    return text;
}

Return nvmlSystemGetDriverVersion(char *out, unsigned size) { return chars_of(NULL, "driver", out, size); }
Return nvmlSystemGetCudaDriverVersion_v2(int *out) { return unsigned_of(NULL, "cuda_driver", (unsigned *)out); }
Return nvmlDeviceGetCount_v2(unsigned *out) { return unsigned_of(NULL, "count", out); }

Return nvmlDeviceGetHandleByIndex_v2(unsigned index, Device *out) {
    unsigned count = 0;
    char key[LINE], text[LINE];
    Return found = unsigned_of(NULL, "count", &count);
    if (found) return found;
    if (index >= count || index >= MOST_GPUS) return INVALID_ARGUMENT;
    snprintf(key, sizeof key, "gpu%u", index);
    if ((found = line_of(key, text)) != NOT_SUPPORTED && found) return found;
    *out = &gpus[index];
    return SUCCESS;
}

Return nvmlDeviceGetIndex(Device device, unsigned *out) { *out = device->number; return SUCCESS; }
Return nvmlDeviceGetName(Device device, char *out, unsigned size) { return chars_of(device, "name", out, size); }
Return nvmlDeviceGetUUID(Device device, char *out, unsigned size) { return chars_of(device, "uuid", out, size); }

Return nvmlDeviceGetPciInfo_v3(Device device, Pci *out) {
    memset(out, 0, sizeof *out);
    Return found = chars_of(device, "pci", out->bus_id, sizeof out->bus_id);
    if (!found) sscanf(out->bus_id, "%x:%x:%x", &out->domain, &out->bus, &out->device);
    return found;
}

Return nvmlDeviceGetCudaComputeCapability(Device device, int *major, int *minor) {
    char text[LINE];
    Return found = text_of(device, "compute_capability", text);
    if (!found && sscanf(text, "%d.%d", major, minor) != 2) return NOT_FOUND;
    return found;
}

Return nvmlDeviceGetUtilizationRates(Device device, Utilization *out) {
    Return found = unsigned_of(device, "utilization", &out->gpu);
    return found ? found : unsigned_of(device, "memory_utilization", &out->memory);
}

Return nvmlDeviceGetMemoryInfo(Device device, Memory *out) {
    Return found = large_of(device, "memory_total", &out->total);
    if (!found) found = large_of(device, "memory_used", &out->used);
    out->free = out->total - out->used;
    return found;
}

Return nvmlDeviceGetMemoryInfo_v2(Device device, Memory2 *out) {
    Memory memory;
    Return found = nvmlDeviceGetMemoryInfo(device, &memory);
    out->total = memory.total, out->used = memory.used, out->free = memory.free, out->reserved = 0;
    return found;
}

Return nvmlDeviceGetPowerUsage(Device device, unsigned *out) { return unsigned_of(device, "power", out); }
Return nvmlDeviceGetEnforcedPowerLimit(Device device, unsigned *out) { return unsigned_of(device, "power_limit", out); }
Return nvmlDeviceGetPowerManagementDefaultLimit(Device device, unsigned *out) {
    return unsigned_of(device, "power_default", out);
}
Return nvmlDeviceGetTotalEnergyConsumption(Device device, Large *out) { return large_of(device, "energy", out); }

Return nvmlDeviceGetTemperature(Device device, unsigned sensor, unsigned *out) {
    return sensor ? INVALID_ARGUMENT : unsigned_of(device, "temperature", out);
}

static const char *const CLOCKS[] = {"clock_graphics", "clock_sm", "clock_memory", "clock_video"};
static const char *const MOST_CLOCKS[] = {"most_graphics", "most_sm", "most_memory", "most_video"};
static const char *const DIRECTIONS[] = {"pcie_tx", "pcie_rx"};

Return nvmlDeviceGetClockInfo(Device device, unsigned kind, unsigned *out) {
    return unsigned_of(device, one_of(CLOCKS, 4, kind), out);
}
Return nvmlDeviceGetMaxClockInfo(Device device, unsigned kind, unsigned *out) {
    return unsigned_of(device, one_of(MOST_CLOCKS, 4, kind), out);
}
Return nvmlDeviceGetPcieThroughput(Device device, unsigned counter, unsigned *out) {
    return unsigned_of(device, one_of(DIRECTIONS, 2, counter), out);
}
Return nvmlDeviceGetCurrentClocksThrottleReasons(Device device, Large *out) {
    return large_of(device, "throttle_reasons", out);
}

Return nvmlDeviceGetTotalEccErrors(Device device, unsigned kind, unsigned counter, Large *out) {
    (void)counter;
    return large_of(device, kind ? "ecc_uncorrected" : "ecc_corrected", out);
}

Return nvmlDeviceGetMigMode(Device device, unsigned *current, unsigned *pending) {
    Return found = unsigned_of(device, "mig", current);
    if (!found) *pending = *current;
    return found;
}

Return nvmlDeviceGetMaxMigDeviceCount(Device device, unsigned *out) {
    unsigned mode = 0;
    Return found = unsigned_of(device, "mig", &mode);
    *out = mode ? MOST_PARTS : 0;
    return found == NOT_SUPPORTED ? SUCCESS : found;
}

/* There is a part where it has a name, as in "gpu0.part1.name NVIDIA H200 MIG 1g.18gb". */
Return nvmlDeviceGetMigDeviceHandleByIndex(Device device, unsigned index, Device *out) {
    char text[LINE];
    if (device < gpus || device >= gpus + MOST_GPUS || index >= MOST_PARTS) return INVALID_ARGUMENT;
    Gpu *part = &parts[device->number][index];
    part->number = device->number, part->part = (int)index + 1;
    Return found = text_of(part, "name", text);
    if (found) return found == NOT_SUPPORTED ? NOT_FOUND : found;
    *out = part;
    return SUCCESS;
}

Return nvmlDeviceGetCurrPcieLinkGeneration(Device device, unsigned *out) { return unsigned_of(device, "pcie_gen", out); }
Return nvmlDeviceGetCurrPcieLinkWidth(Device device, unsigned *out) { return unsigned_of(device, "pcie_width", out); }

/* "processes 4711 4712", or with memory in bytes "processes 4711:1073741824" */
Return nvmlDeviceGetComputeRunningProcesses_v2(Device device, unsigned *count, Process *out) {
    char text[LINE];
    unsigned number = 0, room = *count;
    Return found = text_of(device, "processes", text);
    if (found) return found;
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "), number++)
        if (out && number < room) {
            const char *memory = strchr(word, ':');
            out[number] = (Process){.pid = (unsigned)atoi(word), .memory = memory ? strtoull(memory + 1, NULL, 0) : 1 << 20};
        }
    *count = number;
    return number > room || (number && !out) ? INSUFFICIENT_SIZE : SUCCESS;
}
#ifndef BEFORE_510 /* came with driver 510.39 */
Return nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned *count, Process *out) {
    return nvmlDeviceGetComputeRunningProcesses_v2(device, count, out);
}
#endif

Return nvmlDeviceGetTopologyCommonAncestor(Device first, Device second, unsigned *out) {
    return numbered(first, "ancestor", second->number, out);
}
Return nvmlDeviceGetP2PStatus(Device first, Device second, unsigned kind, unsigned *out) {
    (void)kind;
    return numbered(first, "p2p", second->number, out);
}
Return nvmlDeviceGetNvLinkState(Device device, unsigned link, unsigned *out) {
    return numbered(device, "nvlink", link, out);
}
/* A driver older than the question says that it is not supported here; in life the function is missing. */
Return nvmlDeviceGetNvLinkRemoteDeviceType(Device device, unsigned link, unsigned *out) {
    return numbered(device, "nvlink_type", link, out);
}
Return nvmlDeviceGetNvLinkRemotePciInfo_v2(Device device, unsigned link, Pci *out) {
    char key[LINE];
    snprintf(key, sizeof key, "nvlink_to.%u", link);
    memset(out, 0, sizeof *out);
    return chars_of(device, key, out->bus_id, sizeof out->bus_id);
}

/* "cores 0xff" and "nodes 0x1": masks. */
static Return mask_of(Device device, const char *name, unsigned size, unsigned long *out) {
    Large mask = 0;
    Return found = large_of(device, name, &mask);
    memset(out, 0, size * sizeof *out);
    if (!found && size) out[0] = (unsigned long)mask;
    return found;
}
Return nvmlDeviceGetCpuAffinity(Device device, unsigned size, unsigned long *out) {
    return mask_of(device, "cores", size, out);
}
Return nvmlDeviceGetMemoryAffinity(Device device, unsigned size, unsigned long *out, unsigned scope) {
    (void)scope;
    return mask_of(device, "nodes", size, out);
}

/* How a GPU is set. "ecc 1" or, where another mode is to come with the next reset, "ecc_pending 0". */
Return nvmlDeviceGetPersistenceMode(Device device, unsigned *out) { return unsigned_of(device, "persistence", out); }
Return nvmlDeviceGetComputeMode(Device device, unsigned *out) { return unsigned_of(device, "compute_mode", out); }
Return nvmlDeviceGetMaxPcieLinkWidth(Device device, unsigned *out) { return unsigned_of(device, "most_pcie_width", out); }

static const char *const SET_CLOCKS[] = {"set_graphics", "set_sm", "set_memory", "set_video"};
static const char *const USUAL_CLOCKS[] = {"usual_graphics", "usual_sm", "usual_memory", "usual_video"};

Return nvmlDeviceGetApplicationsClock(Device device, unsigned kind, unsigned *out) {
    return unsigned_of(device, one_of(SET_CLOCKS, 4, kind), out);
}
Return nvmlDeviceGetDefaultApplicationsClock(Device device, unsigned kind, unsigned *out) {
    return unsigned_of(device, one_of(USUAL_CLOCKS, 4, kind), out);
}

Return nvmlDeviceGetEccMode(Device device, unsigned *current, unsigned *pending) {
    Return found = unsigned_of(device, "ecc", current);
    if (!found && unsigned_of(device, "ecc_pending", pending)) *pending = *current;
    return found;
}
Return nvmlDeviceGetRetiredPagesPendingStatus(Device device, unsigned *out) {
    return unsigned_of(device, "pages_pending", out);
}
Return nvmlDeviceGetRemappedRows(Device device, unsigned *corrected, unsigned *uncorrected, unsigned *pending,
                                 unsigned *failed) {
    *corrected = *uncorrected = *failed = 0;
    return unsigned_of(device, "rows_pending", pending);
}
