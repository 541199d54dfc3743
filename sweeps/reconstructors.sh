#!/usr/bin/env bash
# Queue one experiment per reconstructor and seed:
#
#   sweeps/reconstructors.sh [MODELS [SEEDS]]     e.g. sweeps/reconstructors.sh unet,vgg16 1,2,3
#   dvc queue start --jobs 2                      # runs them, in this clone
#   dvc exp show --only-changed
#
# Without arguments: all reconstructors of params.yaml, seeds 1 to 3. Each experiment runs only the
# stages of its own reconstructor, and takes what others have already computed from the cache.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
  -*) echo "usage: sweeps/reconstructors.sh [MODELS [SEEDS]], as in unet,vgg16 1,2,3" >&2; exit 2 ;;
esac

all=$(python -c "import sys; sys.path.insert(0, 'src')
from unmask.params.models import reconstructor_names
print(','.join(reconstructor_names()))")

dvc exp run --queue headline --set-param "recon.model=${1:-$all}" --set-param "train.seed=${2:-1,2,3}"
