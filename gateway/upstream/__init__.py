"""One exchange with one provider: foreign exceptions become domain errors here and nowhere else."""
