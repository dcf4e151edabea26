/* A stand-in for CUDA's driver library, for tests: the PCI addresses of its GPUs stand in the environment variable
   CUDA_STAND_IN, with spaces between; "!100" in place of them is the error 100 of cuInit.
   Names are those of the driver API: https://docs.nvidia.com/cuda/cuda-driver-api */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, INVALID_VALUE = 1, INVALID_DEVICE = 101, MOST = 64, ADDRESS = 32 };

static char addresses[MOST][ADDRESS];
static int count;

int cuInit(unsigned flags) {
    char text[MOST * ADDRESS];
    const char *listed = getenv("CUDA_STAND_IN");
    if (flags || !listed) return INVALID_VALUE;
    if (listed[0] == '!') return atoi(listed + 1);
    snprintf(text, sizeof text, "%s", listed);
    count = 0;
    for (char *word = strtok(text, " "); word && count < MOST; word = strtok(NULL, " "))
        snprintf(addresses[count++], ADDRESS, "%s", word);
    return SUCCESS;
}

int cuDeviceGetCount(int *out) { *out = count; return SUCCESS; }

int cuDeviceGet(int *out, int number) {
    if (number < 0 || number >= count) return INVALID_DEVICE;
    *out = number;
    return SUCCESS;
}

int cuDeviceGetPCIBusId(char *out, int size, int device) {
    if (device < 0 || device >= count) return INVALID_DEVICE;
    snprintf(out, size, "%s", addresses[device]);
    return SUCCESS;
}
