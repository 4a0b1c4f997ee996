"""One exchange with one provider over httpx: foreign exceptions become domain errors here and nowhere else."""
